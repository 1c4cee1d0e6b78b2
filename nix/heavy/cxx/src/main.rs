//! A program with much of C++ in it, and fails where something of that does not work.

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};
use std::panic::{self, catch_unwind};
use std::process::ExitCode;
use std::ptr;
use std::thread;

use fast_musl as _;

unsafe extern "C" {
    fn run_parts() -> bool;
}

unsafe extern "C-unwind" {
    fn catch_from(rust: extern "C-unwind" fn()) -> c_int;
    fn throw_unshapely(depth: c_int);
    fn pass_on(rust: extern "C-unwind" fn(), destroyed: *mut c_int);
}

fn main() -> ExitCode {
    a_panic_unwinds();
    an_exception_passes_rust();
    a_panic_passes_cxx();
    // SAFETY: no exception leaves it.
    if !unsafe { run_parts() } {
        return ExitCode::FAILURE;
    }
    // And after all the exceptions.
    a_panic_unwinds();
    println!("all works");
    ExitCode::SUCCESS
}

/// jemalloc knows its own blocks.
#[unsafe(no_mangle)]
extern "C" fn is_jemallocs(mut block: *const c_void) -> bool {
    let (mut arena, mut length) = (0 as c_uint, size_of::<c_uint>());
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
    error == 0
}

fn a_panic_unwinds() {
    let caught = thread::spawn(|| {
        panic::resume_unwind(Box::new(7));
    })
    .join();
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&7));
}

thread_local! {
    static DROPPED: Cell<u32> = const { Cell::new(0) };
}

struct Counting;

impl Drop for Counting {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

fn an_exception_passes_rust() {
    extern "C-unwind" fn throw() {
        let _counting = Counting;
        // SAFETY: unwinding may leave this function, and it has no requirement.
        unsafe { throw_unshapely(42) };
    }
    // SAFETY: has no requirement.
    let depth = unsafe { catch_from(throw) };
    assert_eq!((depth, DROPPED.get()), (42, 1));
}

fn a_panic_passes_cxx() {
    extern "C-unwind" fn unwind() {
        panic::resume_unwind(Box::new("from Rust"));
    }
    let mut destroyed = 0;
    let destroyed = ptr::from_mut(&mut destroyed);
    let caught = catch_unwind(|| {
        // SAFETY: writes a number, for which there is room.
        unsafe { pass_on(unwind, destroyed) };
    });
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"from Rust"));
    // SAFETY: the number is live.
    assert_eq!(unsafe { *destroyed }, 1);
}
