//! memcpy, memmove, memset, memcmp and bcmp.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::io;

use super::{Calls, Row, Size, ladder, repeat};

unsafe extern "C" {
    // The `libc` crate declares it for few targets.
    fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int;
}

type Copy = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void;
type Compare = unsafe extern "C" fn(*const c_void, *const c_void, usize) -> c_int;

/// The largest size measured.
const LARGEST: usize = 1 << 20;

pub(super) fn rows() -> Vec<Row> {
    [
        ladder("memory: memcpy", LARGEST, |size| copy(libc::memcpy, size)),
        ladder("memory: memmove", LARGEST, |size| {
            shift(libc::memmove, size)
        }),
        ladder("memory: memset", LARGEST, fill),
        ladder("memory: memcmp", LARGEST, |size| {
            compare(libc::memcmp, size)
        }),
        ladder("memory: bcmp", LARGEST, |size| compare(bcmp, size)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Copies from one area to another.
fn copy(function: Copy, size: Size) -> io::Result<Calls> {
    let (function, mut sizes) = (black_box(function), size.each());
    let (mut to, from) = (
        Area::new(size.largest(), 64),
        Area::new(size.largest(), 2064),
    );
    repeat(move || {
        // SAFETY: both areas have room for the largest size.
        unsafe { function(to.start().cast(), from.at(0).cast(), sizes.next()) }
    })
}

/// Moves bytes as when an element is removed from a vector.
fn shift(function: Copy, size: Size) -> io::Result<Calls> {
    let (function, mut sizes) = (black_box(function), size.each());
    let mut area = Area::new(size.largest() + 24, 64);
    repeat(move || {
        let start = area.start();
        // SAFETY: the area has room for 24 bytes more than the largest size.
        unsafe { function(start.cast(), start.add(24).cast(), sizes.next()) }
    })
}

fn fill(size: Size) -> io::Result<Calls> {
    type Fill = unsafe extern "C" fn(*mut c_void, c_int, usize) -> *mut c_void;
    let (function, mut sizes) = (black_box(libc::memset as Fill), size.each());
    let mut area = Area::new(size.largest(), 64);
    repeat(move || {
        // SAFETY: the area has room for the largest size.
        unsafe { function(area.start().cast(), 0x5a, sizes.next()) }
    })
}

/// Compares equal bytes, so all of them are read.
fn compare(function: Compare, size: Size) -> io::Result<Calls> {
    let (function, mut sizes) = (black_box(function), size.each());
    let (a, b) = (
        Area::new(size.largest(), 64),
        Area::new(size.largest(), 2064),
    );
    repeat(move || {
        // SAFETY: both areas have as many bytes as the largest size.
        unsafe { function(a.at(0).cast(), b.at(0).cast(), sizes.next()) }
    })
}

/// Bytes whose offset in a page does not depend on the allocator.
pub(super) struct Area {
    bytes: Vec<u8>,
    first: usize,
}

const PAGE: usize = 4096;

impl Area {
    /// Returns `size` zeros, `place` bytes into a page.
    pub(super) fn new(size: usize, place: usize) -> Self {
        // Not zeroed by the allocator, so each page has its own memory.
        let mut bytes = vec![1; size + 2 * PAGE];
        bytes.fill(0);
        let first = bytes.as_ptr().align_offset(PAGE) + place;
        Self { bytes, first }
    }

    /// Returns a pointer to the first byte.
    pub(super) fn start(&mut self) -> *mut u8 {
        self.bytes[self.first..].as_mut_ptr()
    }

    /// Returns a pointer to the byte at `offset`.
    pub(super) fn at(&self, offset: usize) -> *const u8 {
        self.bytes[self.first + offset..].as_ptr()
    }

    /// Returns the bytes from `offset` on, for writing.
    pub(super) fn from(&mut self, offset: usize) -> &mut [u8] {
        &mut self.bytes[self.first + offset..]
    }
}
