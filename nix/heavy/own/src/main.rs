//! Has a `malloc` and some string functions of its own, and sees that these are called.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

const SIZE: usize = 1 << 20;
static mut HEAP: [u128; SIZE / 16] = [0; SIZE / 16];
static USED: AtomicUsize = AtomicUsize::new(0);

/// Memory that is never given back.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    let start = USED.fetch_add(size.next_multiple_of(16), Ordering::Relaxed);
    assert!(start + size <= SIZE, "the heap is large enough");
    (&raw mut HEAP).cast::<u8>().wrapping_add(start).cast()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: any size is right.
    unsafe { malloc(count * size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: as above.
    let moved = unsafe { malloc(size) };
    if !block.is_null() {
        // SAFETY: what lies behind an older block belongs to the heap as well, as far as the new one's end.
        unsafe { std::ptr::copy(block.cast::<u8>(), moved.cast::<u8>(), size) };
    }
    moved
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(_: *mut c_void) {}

#[unsafe(no_mangle)]
extern "C" fn strlcpy(_: *mut c_char, _: *const c_char, _: usize) -> usize {
    4711
}

unsafe extern "C" {
    fn strdup(text: *const c_char) -> *mut c_char;
}

fn main() {
    assert_eq!(strlcpy(std::ptr::null_mut(), std::ptr::null(), 0), 4711);
    // SAFETY: it is a text of C's.
    let copy = unsafe { strdup(c"copied by musl".as_ptr()) } as usize;
    let heap = (&raw const HEAP) as usize;
    assert!(
        (heap..heap + SIZE).contains(&copy),
        "musl's strdup asks this malloc"
    );
    let boxed = Box::new(5_u8);
    assert!(
        (heap..heap + SIZE).contains(&(&raw const *boxed as usize)),
        "and so does Rust"
    );
    println!("its own");
}
