//! `malloc` from jemalloc, in a static musl executable: the harness, std and libc allocate with it
//! too.
//!
//! Blocks go through `black_box`, because a compiler may remove an allocation that is not used.
#![cfg(all(feature = "malloc", target_os = "linux", target_env = "musl"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::env;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::hint::black_box;
use std::process::Command;
use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use fast_musl as _;
use libc::{
    aligned_alloc, calloc, free, malloc, malloc_usable_size, memalign, posix_memalign, realloc,
};

unsafe extern "C" {
    // The `libc` crate declares it for few targets.
    fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void;
}

/// Larger than any address space.
const TOO_MUCH: usize = usize::MAX / 2;

fn errno() -> c_int {
    // SAFETY: errno is the thread's own.
    unsafe { *libc::__errno_location() }
}

fn set_errno(value: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

/// Returns whether jemalloc reports that the block is in one of its arenas.
fn of_jemalloc(block: *const c_void) -> bool {
    let (mut arena, mut length) = (0 as c_uint, size_of::<c_uint>());
    let mut block = block;
    // SAFETY: it reads a pointer and writes a number, for which there is room.
    let error = unsafe {
        tikv_jemalloc_sys::mallctl(
            c"arenas.lookup".as_ptr(),
            (&raw mut arena).cast(),
            &raw mut length,
            (&raw mut block).cast(),
            size_of::<*const c_void>(),
        )
    };
    error == 0
}

/// Frees a block and asserts that it was jemalloc's and writable.
#[track_caller]
fn take_back(block: *mut c_void, size: usize) {
    assert!(!block.is_null());
    assert!(of_jemalloc(block));
    // SAFETY: the block is live, and has that many bytes.
    unsafe {
        assert!(malloc_usable_size(block) >= size);
        block.cast::<u8>().write_bytes(0xa5, size);
        free(block);
    }
}

#[test]
fn a_block_of_another_is_told_apart() {
    let on_the_stack = 0_u8;
    assert!(!of_jemalloc((&raw const on_the_stack).cast()));
}

#[test]
fn every_way_to_memory_is_jemalloc() {
    // SAFETY: C allows each of these calls, and each block is freed once.
    unsafe {
        for size in [1, 8, 100, 4096, 70_000, 5 << 20] {
            take_back(malloc(size), size);
            let zeros = calloc(size, 3);
            let bytes = std::slice::from_raw_parts(zeros.cast::<u8>(), size * 3);
            assert!(bytes.iter().all(|&byte| byte == 0));
            take_back(zeros, size * 3);
            take_back(realloc(null_mut(), size), size);
            take_back(realloc(malloc(size), 2 * size), 2 * size);
            take_back(reallocarray(malloc(1), size, 3), size * 3);
            for alignment in [8, 16, 64, 4096, 1 << 20] {
                let mut third = null_mut();
                assert_eq!(posix_memalign(&raw mut third, alignment, size), 0);
                let blocks = [
                    aligned_alloc(alignment, size),
                    memalign(alignment, size),
                    third,
                ];
                for block in blocks {
                    assert_eq!(block.addr() % alignment, 0);
                    take_back(block, size);
                }
            }
        }
        take_back(libc::strdup(c"duplicate".as_ptr()).cast(), 10);
        take_back(libc::strndup(c"duplicate".as_ptr(), 3).cast(), 4);
        take_back(libc::realpath(c"/".as_ptr(), null_mut()).cast(), 2);
        take_back(libc::getcwd(null_mut(), 0).cast(), 2);
    }
}

/// The crate's options are used, not jemalloc's own empty ones.
#[test]
fn jemalloc_has_read_the_options() {
    let (mut threshold, mut length) = (0_usize, size_of::<usize>());
    // SAFETY: the option is a size_t, for which there is room.
    let error = unsafe {
        tikv_jemalloc_sys::mallctl(
            c"opt.oversize_threshold".as_ptr(),
            (&raw mut threshold).cast(),
            &raw mut length,
            null_mut(),
            0,
        )
    };
    assert_eq!(error, 0);
    assert!(threshold >= 1 << 30, "{threshold}");
}

/// For each pair of sizes, up and down: the bytes are kept, and the block has room.
#[test]
fn realloc_keeps_the_bytes() {
    let sizes = [
        1,
        8,
        9,
        100,
        128,
        4096,
        (14 << 10) - 1,
        14 << 10,
        (14 << 10) + 1,
        16 << 10,
        100_000,
        (512 << 10) - 1,
        512 << 10,
        700_000,
        1 << 20,
        3 << 20,
        9 << 20,
    ];
    let pattern: Vec<u8> = (0_u32..9 << 20)
        .map(|i| (i ^ i >> 8).to_le_bytes()[0])
        .collect();
    for from in sizes {
        for to in sizes {
            for alignment in [8, 4096] {
                // SAFETY: both sizes are within the pattern, and the block is freed once.
                unsafe {
                    let block = aligned_alloc(alignment, from);
                    assert!(!block.is_null());
                    block
                        .cast::<u8>()
                        .copy_from_nonoverlapping(pattern.as_ptr(), from);
                    let block = black_box(realloc(block, to));
                    let kept = std::slice::from_raw_parts(block.cast::<u8>(), from.min(to));
                    assert_eq!(kept, &pattern[..kept.len()], "{from} to {to}");
                    take_back(block, to);
                }
            }
        }
    }
}

/// A block that grows to many times its size is copied a few times, not at each step.
#[test]
fn a_large_block_grows_in_place() {
    let mut moves = 0;
    // SAFETY: the block is freed once.
    unsafe {
        let mut block = malloc(1 << 20);
        for step in 2..64 {
            let size = step << 20;
            let grown = black_box(realloc(block, size));
            assert!(!grown.is_null());
            moves += i32::from(grown != block);
            block = grown;
        }
        free(block);
    }
    assert!(moves <= 8, "{moves} of 62 steps moved the block");
}

/// libc allocates and grows buffers itself.
#[test]
fn streams_allocate_from_jemalloc() {
    // SAFETY: C allows these calls; both buffers are freed here.
    unsafe {
        let (mut buffer, mut size) = (null_mut::<c_char>(), 0);
        let stream = libc::open_memstream(&raw mut buffer, &raw mut size);
        for _ in 0..5000 {
            assert!(libc::fputs(c"one line\n".as_ptr(), stream) >= 0);
        }
        assert_eq!(libc::fclose(stream), 0);
        assert_eq!(size, 45_000);

        let stream = libc::fmemopen(buffer.cast(), size, c"r".as_ptr());
        let (mut line, mut room) = (null_mut::<c_char>(), 0);
        for _ in 0..5000 {
            assert_eq!(libc::getline(&raw mut line, &raw mut room, stream), 9);
            assert_eq!(CStr::from_ptr(line), c"one line\n");
        }
        assert_eq!(libc::fclose(stream), 0);
        take_back(line.cast(), room);
        take_back(buffer.cast(), size);
    }
}

#[test]
fn rusts_system_allocator_is_jemalloc() {
    for align in [1, 16, 128, 8192] {
        let layout = Layout::from_size_align(1000, align).unwrap();
        // SAFETY: the size is not zero, and each block is freed with its layout.
        unsafe {
            let block = System.alloc(layout);
            assert!(of_jemalloc(block.cast()));
            let block = System.realloc(block, layout, 50_000);
            assert!(of_jemalloc(block.cast()));
            System.dealloc(block, Layout::from_size_align(50_000, align).unwrap());
            let block = System.alloc_zeroed(layout);
            assert!(of_jemalloc(block.cast()));
            System.dealloc(block, layout);
        }
    }
    assert!(of_jemalloc(Box::into_raw(Box::new(1)).cast()));
}

#[test]
fn errors_are_those_of_posix() {
    // SAFETY: C allows these calls.
    unsafe {
        let refused: [(&str, &dyn Fn() -> *mut c_void); 7] = [
            ("malloc", &|| malloc(TOO_MUCH)),
            ("calloc", &|| calloc(TOO_MUCH, 1)),
            ("calloc overflow", &|| calloc(1 << 33, (1 << 31) + 1)), // modulo 2^64: 2^33
            ("reallocarray overflow", &|| {
                reallocarray(null_mut(), 1 << 33, (1 << 31) + 1)
            }),
            ("realloc", &|| realloc(null_mut(), TOO_MUCH)),
            ("aligned_alloc", &|| aligned_alloc(64, TOO_MUCH)),
            ("memalign", &|| memalign(64, TOO_MUCH)),
        ];
        for (what, call) in refused {
            set_errno(0);
            assert!(black_box(call()).is_null(), "{what}");
            assert_eq!(errno(), libc::ENOMEM, "{what}");
        }
        for alignment in [0, 3, 24, 4097] {
            set_errno(0);
            assert!(black_box(aligned_alloc(alignment, 8)).is_null());
            assert_eq!(errno(), libc::EINVAL, "{alignment}");
            set_errno(0);
            assert!(black_box(memalign(alignment, 8)).is_null());
            assert_eq!(errno(), libc::EINVAL, "{alignment}");
        }
        let untouched = ptr::without_provenance_mut(1);
        for (alignment, size, error) in [
            (0, 8, libc::EINVAL),
            (3, 8, libc::EINVAL),
            (4, 8, libc::EINVAL), // less than a pointer takes
            (24, 8, libc::EINVAL),
            (64, TOO_MUCH, libc::ENOMEM),
        ] {
            let mut block = untouched;
            set_errno(77);
            assert_eq!(posix_memalign(&raw mut block, alignment, size), error);
            assert_eq!(block, untouched, "{alignment}");
            assert_eq!(errno(), 77, "{alignment}"); // musl's own sets it
        }

        // The block that could not grow is unchanged.
        let block = malloc(100).cast::<u8>();
        block.write_bytes(0x5a, 100);
        set_errno(0);
        assert!(black_box(realloc(block.cast(), TOO_MUCH)).is_null());
        assert_eq!(errno(), libc::ENOMEM);
        assert!((0..100).all(|at| block.add(at).read() == 0x5a));
        // If it had been freed, it would be the next one of its size.
        let another = black_box(malloc(100));
        assert_ne!(another, block.cast());
        free(another);
        free(block.cast());
    }
}

#[test]
fn nothing_is_a_size_and_null_a_block() {
    // SAFETY: C allows these calls.
    unsafe {
        free(null_mut());
        assert_eq!(malloc_usable_size(null_mut()), 0);
        let (first, second) = (black_box(malloc(0)), black_box(malloc(0)));
        assert!(!first.is_null() && !second.is_null() && first != second);
        free(first);
        free(second);
        let none = black_box(calloc(0, 8));
        assert!(!none.is_null());
        let some = realloc(none, 64);
        take_back(some, 64);
        // As with musl, only `free` frees.
        for block in [
            realloc(black_box(malloc(100)), 0),
            reallocarray(black_box(malloc(100)), 0, 8),
            realloc(null_mut(), 0),
        ] {
            take_back(block, 0);
        }
    }
}

/// POSIX since 2024: `free` preserves errno, whatever system calls it makes.
#[test]
fn free_keeps_errno() {
    for size in [1, 1000, 100 << 10, 64 << 20] {
        // SAFETY: a block of that size is written and freed.
        unsafe {
            let block = black_box(malloc(size));
            assert!(!block.is_null());
            block.cast::<u8>().write_bytes(1, size);
            set_errno(77);
            free(block);
            assert_eq!(errno(), 77, "{size}");
        }
    }
}

/// Returns the exit code of a child of `fork` that runs `body`.
fn in_child(body: impl FnOnce() -> c_int) -> c_int {
    // SAFETY: the child runs `body` and exits.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let code = body();
        // SAFETY: ends the child without the harness's handlers.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: the child exists and was not reaped.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        -libc::WTERMSIG(status)
    }
}

#[test]
fn without_address_space_it_says_so_and_goes_on() {
    let code = in_child(|| {
        // Little more than is mapped already.
        let mapped = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = mapped.split(' ').next().unwrap().parse().unwrap();
        // SAFETY: C allows these calls.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.cast_unsigned();
        // SAFETY: C allows these calls.
        unsafe {
            let mut limit = std::mem::zeroed::<libc::rlimit>();
            libc::getrlimit(libc::RLIMIT_AS, &raw mut limit);
            limit.rlim_cur = pages * page + (64 << 20);
            if libc::setrlimit(libc::RLIMIT_AS, &raw const limit) != 0 {
                return 1;
            }
            set_errno(0);
            if !black_box(malloc(64 << 30)).is_null() || errno() != libc::ENOMEM {
                return 2;
            }
            // Takes all memory, in small blocks.
            let mut last = null_mut::<*mut c_void>();
            let mut count = 0;
            loop {
                let block = black_box(malloc(4096)).cast::<*mut c_void>();
                if block.is_null() {
                    break;
                }
                block.write(last.cast());
                last = block;
                count += 1;
            }
            if errno() != libc::ENOMEM || count < 10_000 {
                return 3;
            }
            while !last.is_null() {
                let next = last.read();
                free(last.cast());
                last = next.cast();
            }
            let block = black_box(malloc(4096));
            if block.is_null() { 4 } else { 0 }
        }
    });
    assert_eq!(code, 0);
}

/// 200 threads at once free blocks that others allocated.
#[test]
fn threads_free_what_others_allocate() {
    struct Block(*mut c_void);
    // SAFETY: only one thread at a time has it.
    unsafe impl Send for Block {}

    let (senders, receivers): (Vec<_>, Vec<_>) = (0..200).map(|_| mpsc::channel::<Block>()).unzip();
    let senders = &senders;
    thread::scope(|scope| {
        for (number, receiver) in receivers.into_iter().enumerate() {
            scope.spawn(move || {
                let next = senders[(number + 1) % 200].clone();
                for round in 0..200 {
                    // SAFETY: the block has room for its size.
                    unsafe {
                        let size = 8 + (round * 37 + number) % 3000;
                        let block = black_box(malloc(size));
                        block.cast::<usize>().write(size);
                        next.send(Block(block)).unwrap();
                        let Block(block) = receiver.recv().unwrap();
                        let size = block.cast::<usize>().read();
                        assert!(malloc_usable_size(block) >= size);
                        free(block);
                    }
                }
            });
        }
    });
}

/// The child has one thread, and no lock held by another thread may block it.
#[test]
fn forks_while_other_threads_allocate() {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for size in [10, 200, 5000, 40_000, 300_000] {
                        // SAFETY: freed once.
                        unsafe { free(black_box(malloc(size))) };
                    }
                }
            });
        }
        for _ in 0..200 {
            let code = in_child(|| {
                for size in [10, 200, 5000, 40_000, 300_000, 20 << 20] {
                    // SAFETY: freed once.
                    unsafe {
                        let block = black_box(malloc(size));
                        if block.is_null() {
                            return 1;
                        }
                        free(block);
                    }
                }
                0
            });
            if code != 0 {
                stop.store(true, Ordering::Relaxed);
            }
            assert_eq!(code, 0);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Destructors run when jemalloc's own thread destructor may have run already.
#[test]
fn destructors_of_threads_free_and_allocate() {
    static RAN: AtomicUsize = AtomicUsize::new(0);

    unsafe extern "C" fn destructor(block: *mut c_void) {
        // SAFETY: the key's value is a block that no other code frees.
        unsafe {
            free(block);
            free(black_box(malloc(500)));
        }
        RAN.fetch_add(1, Ordering::Relaxed);
    }
    thread_local! {
        static KEPT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    let mut key = 0;
    // SAFETY: a key that lives as long as the process.
    assert_eq!(
        unsafe { libc::pthread_key_create(&raw mut key, Some(destructor)) },
        0
    );
    for _ in 0..100 {
        thread::spawn(move || {
            KEPT.with_borrow_mut(|kept| kept.extend((0..50).map(|n| n.to_string())));
            // SAFETY: the key exists.
            assert_eq!(unsafe { libc::pthread_setspecific(key, malloc(1000)) }, 0);
        })
        .join()
        .unwrap();
    }
    assert_eq!(RAN.load(Ordering::Relaxed), 100);
}

/// These functions allocate within libc: some with `malloc`, some with its own allocator under
/// another name.
#[test]
fn libc_goes_on_to_work() {
    extern "C" fn nothing() {}
    // SAFETY: C allows these calls.
    unsafe {
        for _ in 0..200 {
            assert_eq!(libc::atexit(nothing), 0);
            assert_eq!(libc::pthread_atfork(None, None, None), 0);
        }
        let mut found = null_mut();
        let host = c"127.0.0.1".as_ptr();
        assert_eq!(
            libc::getaddrinfo(host, c"4222".as_ptr(), ptr::null(), &raw mut found),
            0
        );
        assert!(!found.is_null());
        libc::freeaddrinfo(found);
        assert_eq!(libc::setenv(c"FAST_MUSL".as_ptr(), c"set".as_ptr(), 1), 0);
        assert_eq!(libc::unsetenv(c"FAST_MUSL".as_ptr()), 0);
        let directory = libc::opendir(c"/".as_ptr());
        assert!(!directory.is_null());
        assert_eq!(libc::closedir(directory), 0);
    }
    let program = env::current_exe().unwrap();
    // If the tests run in an emulator, it runs their children as well.
    let mut command = if let Some(emulator) = env::var_os("FAST_MUSL_TEST_EMULATOR") {
        let mut command = Command::new(emulator);
        command.arg(program);
        command
    } else {
        Command::new(program)
    };
    let output = command.arg("--help").output().unwrap();
    assert!(output.status.success());
    assert!(!output.stdout.is_empty());
}
