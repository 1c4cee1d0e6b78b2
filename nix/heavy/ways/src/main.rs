//! A program that uses what the crates bring, and fails where something of it does not work.
//!
//! Its first argument says whose memory C code has to get: `jemalloc`'s or `libc`'s. The second is the
//! emulator that runs programs like this one, where one is needed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::env;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::hint::black_box;
use std::process::Command;
use std::ptr::{self, null_mut};
use std::thread;

use fast_musl as _;

#[global_allocator]
static ALLOCATOR: sized_jemalloc::SizedJemalloc = sized_jemalloc::SizedJemalloc;

unsafe extern "C" {
    // The `libc` crate does not have it.
    fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int;
}

fn main() {
    let argument = env::args().nth(1);
    let owner = match argument.as_deref() {
        Some("child") => {
            println!("the child speaks");
            return;
        }
        Some("jemalloc") => Owner::Jemalloc,
        Some("libc") => Owner::Libc,
        _ => panic!("usage: stranger jemalloc | libc (whose memory C code gets) [EMULATOR]"),
    };
    pages_fit();
    options_are_read(owner);
    every_function_of_malloc(owner);
    libc_allocates(owner);
    rust_allocates(owner);
    threads_allocate();
    memory_routines();
    rounding_and_sorting();
    names_of_our_own();
    random_numbers();
    a_child_runs(env::args().nth(2));
    a_panic_unwinds();
    println!("all works");
}

/// The allocator that a block is from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Owner {
    Jemalloc,
    Libc,
}

impl Owner {
    /// jemalloc knows its own blocks.
    fn of(block: *const c_void) -> Self {
        let (mut arena, mut length) = (0 as c_uint, size_of::<c_uint>());
        let mut block = block;
        // SAFETY: reads a pointer and writes a number, for which there is room.
        let error = unsafe {
            tikv_jemalloc_sys::mallctl(
                c"arenas.lookup".as_ptr(),
                (&raw mut arena).cast(),
                &raw mut length,
                (&raw mut block).cast(),
                size_of::<*const c_void>(),
            )
        };
        if error == 0 {
            Self::Jemalloc
        } else {
            Self::Libc
        }
    }
}

/// Checks whose the block is, writes to all of it, and frees it.
#[track_caller]
fn take_back(owner: Owner, block: *mut c_void, size: usize) {
    let block = black_box(block);
    assert!(!block.is_null());
    assert_eq!(Owner::of(block), owner);
    // SAFETY: the block is live, and has that many bytes.
    unsafe {
        assert!(libc::malloc_usable_size(block) >= size);
        block.cast::<u8>().write_bytes(0xa5, size);
        libc::free(block);
    }
}

/// A number that jemalloc tells of itself.
fn jemalloc_says(name: &CStr) -> usize {
    let (mut value, mut length) = (0_usize, size_of::<usize>());
    let to = (&raw mut value).cast();
    // SAFETY: writes a number, for which there is room.
    let error =
        unsafe { tikv_jemalloc_sys::mallctl(name.as_ptr(), to, &raw mut length, null_mut(), 0) };
    assert_eq!(error, 0, "{name:?}");
    value
}

/// jemalloc stops at its start where the kernel's pages are larger than those it was built for, which
/// on aarch64 may be any size up to 64 KiB.
fn pages_fit() {
    let largest = if cfg!(target_arch = "aarch64") { 64 } else { 4 };
    assert_eq!(jemalloc_says(c"arenas.page"), largest << 10);
}

/// fast-musl's options and jemalloc's own are both weak symbols: the linker has to take the first.
fn options_are_read(owner: Owner) {
    let expected = match owner {
        Owner::Jemalloc => 1 << 60,
        Owner::Libc => 8 << 20,
    };
    assert_eq!(jemalloc_says(c"opt.oversize_threshold"), expected);
}

fn every_function_of_malloc(owner: Owner) {
    for size in [1, 100, 5000, 70_000, 5 << 20] {
        // SAFETY: each call is one that C allows, and each block is freed once.
        unsafe {
            take_back(owner, libc::malloc(size), size);
            take_back(owner, libc::calloc(size, 3), 3 * size);
            let grown = libc::realloc(black_box(libc::malloc(size)), 2 * size);
            take_back(owner, grown, 2 * size);
            take_back(owner, libc::aligned_alloc(64, size), size);
            take_back(owner, libc::memalign(4096, size), size);
            let mut block = null_mut();
            assert_eq!(libc::posix_memalign(&raw mut block, 64, size), 0);
            take_back(owner, block, size);
        }
    }
}

/// C code calls malloc: libc's own is at hand.
fn libc_allocates(owner: Owner) {
    // SAFETY: each call is one that C allows, and each block is freed once.
    unsafe {
        take_back(owner, libc::strdup(c"duplicate".as_ptr()).cast(), 10);

        let (mut buffer, mut size) = (null_mut::<c_char>(), 0);
        let stream = libc::open_memstream(&raw mut buffer, &raw mut size);
        for _ in 0..5000 {
            assert!(libc::fputs(c"one line\n".as_ptr(), stream) >= 0);
        }
        assert_eq!(libc::fclose(stream), 0);
        assert_eq!(size, 45_000);
        take_back(owner, buffer.cast(), size);

        let mut found = null_mut();
        let host = c"127.0.0.1".as_ptr();
        assert_eq!(
            libc::getaddrinfo(host, c"4222".as_ptr(), ptr::null(), &raw mut found),
            0
        );
        assert_eq!(Owner::of(found.cast()), owner);
        libc::freeaddrinfo(found);
    }
}

/// Rust's `System` calls malloc, `SizedJemalloc` does not.
fn rust_allocates(owner: Owner) {
    for (size, align) in [(1, 1), (100, 8), (5000, 16), (70_000, 64), (5 << 20, 4096)] {
        let layout = Layout::from_size_align(size, align).unwrap();
        let allocators: [(&dyn GlobalAlloc, Owner); 2] =
            [(&System, owner), (&ALLOCATOR, Owner::Jemalloc)];
        for (allocator, owner) in allocators {
            // SAFETY: no size is zero; the block has its layout, and a size of twice as much later.
            unsafe {
                let block = black_box(allocator.alloc(layout));
                assert_eq!(Owner::of(block.cast()), owner);
                block.write_bytes(7, size);
                let block = allocator.realloc(block, layout, 2 * size);
                assert_eq!(Owner::of(block.cast()), owner);
                assert_eq!((*block, *block.add(size - 1)), (7, 7));
                let layout = Layout::from_size_align(2 * size, align).unwrap();
                allocator.dealloc(block, layout);
            }
        }
    }
}

/// Eight threads allocate; another frees.
fn threads_allocate() {
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            thread::spawn(move || {
                let number = |n: usize| (format!("{thread}-{n}"), vec![n; 1 + n % 500]);
                (0..2000).map(number).collect::<HashMap<_, _>>()
            })
        })
        .collect();
    for (thread, handle) in threads.into_iter().enumerate() {
        let map = handle.join().unwrap();
        assert_eq!(map.len(), 2000);
        assert_eq!(map[&format!("{thread}-1999")], vec![1999; 500]);
    }
}

fn memory_routines() {
    let numbers = || (0..=250).cycle();
    for size in (0..300).chain([500, 1000, 5000, 70_000]) {
        let original: Vec<u8> = numbers().take(size + 100).collect();
        let (start, size) = (original.as_ptr().cast(), black_box(size));

        // The areas overlap, both ways.
        for (from, to) in [(0, 1), (1, 0), (0, 40), (40, 0), (3, 100), (100, 3)] {
            let mut moved = original.clone();
            // SAFETY: both areas end within the 100 bytes that are left.
            unsafe {
                let base = moved.as_mut_ptr();
                libc::memmove(base.add(to).cast(), base.add(from).cast(), size);
            }
            assert_eq!(moved[to..to + size], original[from..from + size]);
            assert_eq!(moved[..to], original[..to]);
            assert_eq!(moved[to + size..], original[to + size..]);
        }

        let mut other = vec![0_u8; size + 1];
        let copy = other.as_mut_ptr().cast();
        // SAFETY: all areas have at least that many bytes.
        unsafe {
            libc::memcpy(copy, start, size);
            assert!(other[..size] == original[..size]);
            assert_eq!(other[size], 0);
            assert_eq!(libc::memcmp(copy, start, size), 0);
            assert_eq!(bcmp(copy, start, size), 0);
            libc::memset(copy, 0x1ff, size);
            assert!(other[..size].iter().all(|&byte| byte == 0xff));
            assert_eq!(other[size], 0);
            if size > 0 {
                assert!(libc::memcmp(copy, start, size) > 0);
                assert!(libc::memcmp(start, copy, size) < 0);
                assert_ne!(bcmp(copy, start, size), 0);
            }
        }
    }
}

/// libm's functions, which a baseline build calls, and qsort.
fn rounding_and_sorting() {
    let x = black_box(2.5_f64);
    assert_eq!(x.mul_add(x, 0.25), 6.5);
    assert_eq!((x.floor(), x.ceil(), x.trunc()), (2.0, 3.0, 2.0));
    assert_eq!((x.round(), x.round_ties_even()), (3.0, 2.0));
    assert_eq!(black_box(2.5_f32).mul_add(2.0, 0.5).floor(), 5.0);

    unsafe extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
        // SAFETY: qsort calls it with elements.
        unsafe { *a.cast::<c_int>() - *b.cast::<c_int>() }
    }
    let mut numbers: Vec<c_int> = (0..1000).map(|i| i * 7919 % 1000).collect();
    // SAFETY: the elements are those of the vector.
    unsafe {
        let first = numbers.as_mut_ptr().cast();
        libc::qsort(first, numbers.len(), size_of::<c_int>(), Some(compare));
    }
    assert!(numbers.is_sorted());
}

/// A name that belongs to libc, and that programs define nevertheless.
#[cfg(target_env = "musl")]
#[unsafe(no_mangle)]
extern "C" fn strlcpy(_to: *mut c_char, _from: *const c_char, _n: usize) -> usize {
    usize::MAX
}

fn names_of_our_own() {
    #[cfg(target_env = "musl")]
    {
        let mut to = [0; 8];
        let own = strlcpy(to.as_mut_ptr(), black_box(c"own").as_ptr(), 8);
        assert_eq!(own, usize::MAX);
        // It has the strings' other functions in the program as well.
        // SAFETY: it is a string.
        assert_eq!(unsafe { libc::strnlen(black_box(c"own").as_ptr(), 9) }, 3);
    }
}

fn random_numbers() {
    let draw = || {
        let mut bytes = [0_u8; 32];
        // SAFETY: there is room.
        let drawn = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        assert_eq!(drawn, 32);
        bytes
    };
    let (first, second) = (draw(), draw());
    assert_ne!(first, [0; 32]);
    assert_ne!(first, second);
}

fn a_child_runs(emulator: Option<String>) {
    let this = env::current_exe().unwrap();
    let mut command = match emulator {
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.arg(this);
            command
        }
        None => Command::new(this),
    };
    let output = command.arg("child").output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"the child speaks\n");
}

/// Unwinding takes memory, and finds its way by tables that the linker keeps or not.
fn a_panic_unwinds() {
    if cfg!(panic = "unwind") {
        let caught = thread::spawn(|| panic!("a panic on purpose")).join();
        assert!(caught.is_err());
    }
}
