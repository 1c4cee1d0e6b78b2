//! strlen and similar: C strings and searches.
//!
//! A string is the end of a text, with the length of the row. A search term does not occur in it,
//! and compared strings are equal, so all of it is read.

use std::ffi::{c_char, c_int, c_void};
use std::hint::black_box;
use std::io;

use super::memory::Area;
use super::{Calls, Numbers, Row, Size, ladder, repeat};

type Search = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_char;
type Scan = unsafe extern "C" fn(*const c_void, c_int, usize) -> *mut c_void;
type Compare = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;
type Copy = unsafe extern "C" fn(*mut c_char, *const c_char) -> *mut c_char;

/// The largest size measured.
const LARGEST: usize = 64 << 10;

pub(super) fn rows() -> Vec<Row> {
    [
        ladder("strings: strlen", LARGEST, strlen),
        ladder("strings: strnlen", LARGEST, strnlen),
        ladder("strings: memchr", LARGEST, |size| scan(libc::memchr, size)),
        ladder("strings: memrchr", LARGEST, |size| {
            scan(libc::memrchr, size)
        }),
        ladder("strings: strchr", LARGEST, |size| {
            search(libc::strchr, size)
        }),
        ladder("strings: strchrnul", LARGEST, |size| {
            search(libc::strchrnul, size)
        }),
        ladder("strings: strrchr", LARGEST, |size| {
            search(libc::strrchr, size)
        }),
        ladder("strings: strcspn", LARGEST, strcspn),
        ladder("strings: strcmp", LARGEST, |size| {
            compare(libc::strcmp, size)
        }),
        ladder("strings: strcasecmp", LARGEST, |size| {
            compare(libc::strcasecmp, size)
        }),
        ladder("strings: strncmp", LARGEST, strncmp),
        ladder("strings: strcpy", LARGEST, |size| copy(libc::strcpy, size)),
        ladder("strings: stpcpy", LARGEST, |size| copy(libc::stpcpy, size)),
        ladder("strings: memmem", LARGEST, memmem),
        ladder("strings: strstr", LARGEST, strstr),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn strlen(size: Size) -> io::Result<Calls> {
    type Length = unsafe extern "C" fn(*const c_char) -> usize;
    let (function, mut sizes) = (black_box(libc::strlen as Length), size.each());
    let text = Text::new(size, 64);
    repeat(move || {
        // SAFETY: the text ends in a zero byte.
        unsafe { function(text.last(sizes.next())) }
    })
}

fn strnlen(size: Size) -> io::Result<Calls> {
    type Length = unsafe extern "C" fn(*const c_char, usize) -> usize;
    let (function, mut sizes) = (black_box(libc::strnlen as Length), size.each());
    let text = Text::new(size, 64);
    repeat(move || {
        // SAFETY: the text ends in a zero byte.
        unsafe { function(text.last(sizes.next()), usize::MAX >> 1) }
    })
}

fn scan(function: Scan, size: Size) -> io::Result<Calls> {
    let (function, mut sizes) = (black_box(function), size.each());
    let text = Text::new(size, 64);
    repeat(move || {
        let size = sizes.next();
        // SAFETY: the text has that many bytes left.
        unsafe { function(text.last(size).cast(), c_int::from(ABSENT), size) }
    })
}

fn search(function: Search, size: Size) -> io::Result<Calls> {
    let (function, mut sizes) = (black_box(function), size.each());
    let text = Text::new(size, 64);
    repeat(move || {
        // SAFETY: the text ends in a zero byte.
        unsafe { function(text.last(sizes.next()), c_int::from(ABSENT)) }
    })
}

fn strcspn(size: Size) -> io::Result<Calls> {
    type Span = unsafe extern "C" fn(*const c_char, *const c_char) -> usize;
    let (function, mut sizes) = (black_box(libc::strcspn as Span), size.each());
    let text = Text::new(size, 64);
    repeat(move || {
        // SAFETY: both end in a zero byte.
        unsafe { function(text.last(sizes.next()), c" ,;z".as_ptr()) }
    })
}

fn compare(function: Compare, size: Size) -> io::Result<Calls> {
    let (function, mut sizes) = (black_box(function), size.each());
    let (a, b) = (Text::new(size, 64), Text::new(size, 2064));
    repeat(move || {
        let size = sizes.next();
        // SAFETY: both texts end in a zero byte.
        unsafe { function(a.last(size), b.last(size)) }
    })
}

fn strncmp(size: Size) -> io::Result<Calls> {
    type Compare = unsafe extern "C" fn(*const c_char, *const c_char, usize) -> c_int;
    let (function, mut sizes) = (black_box(libc::strncmp as Compare), size.each());
    let (a, b) = (Text::new(size, 64), Text::new(size, 2064));
    repeat(move || {
        let size = sizes.next();
        // SAFETY: both texts have that many bytes left.
        unsafe { function(a.last(size), b.last(size), size) }
    })
}

fn copy(function: Copy, size: Size) -> io::Result<Calls> {
    let (function, mut sizes) = (black_box(function), size.each());
    let (mut to, from) = (Area::new(size.largest() + 1, 64), Text::new(size, 2064));
    repeat(move || {
        // SAFETY: the text ends in a zero byte, and the target has room for that too.
        unsafe { function(to.start().cast(), from.last(sizes.next())) }
    })
}

fn memmem(size: Size) -> io::Result<Calls> {
    type Find = unsafe extern "C" fn(*const c_void, usize, *const c_void, usize) -> *mut c_void;
    let (function, mut sizes) = (black_box(libc::memmem as Find), size.each());
    let (text, word) = (Text::new(size, 64), WORD.to_bytes());
    repeat(move || {
        let size = sizes.next();
        // SAFETY: the text has that many bytes left, and the word has the given length.
        unsafe {
            function(
                text.last(size).cast(),
                size,
                word.as_ptr().cast(),
                word.len(),
            )
        }
    })
}

fn strstr(size: Size) -> io::Result<Calls> {
    type Find = unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char;
    let (function, mut sizes) = (black_box(libc::strstr as Find), size.each());
    let text = Text::new(size, 64);
    repeat(move || {
        // SAFETY: both end in a zero byte.
        unsafe { function(text.last(sizes.next()), WORD.as_ptr()) }
    })
}

/// A letter that occurs in no text.
const ABSENT: u8 = b'z';
/// A word that occurs in no text, although each of its letters except one does.
const WORD: &std::ffi::CStr = c"gazebos";

/// Letters, then a zero byte.
struct Text {
    area: Area,
    size: usize,
}

impl Text {
    fn new(size: Size, place: usize) -> Self {
        let size = size.largest();
        let mut area = Area::new(size + 1, place);
        let mut numbers = Numbers(size as u64);
        let letters: Vec<u8> = (b'a'..ABSENT).collect();
        for byte in &mut area.from(0)[..size] {
            *byte = letters[numbers.below(letters.len())];
        }
        Self { area, size }
    }

    /// Returns a pointer to the last `size` letters.
    fn last(&self, size: usize) -> *const c_char {
        self.area.at(self.size - size).cast()
    }
}
