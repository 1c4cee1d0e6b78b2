//! Streams, and conversions between numbers and text.

use std::cmp::Ordering;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::hint::black_box;
use std::io;
use std::ptr::null_mut;

use super::{Calls, Numbers, Row, repeat};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::cpu("stdio: fputs to /dev/null", fputs),
        Row::cpu("stdio: fputc to /dev/null", fputc),
        Row::cpu("stdio: fprintf to /dev/null", fprintf),
        Row::cpu("stdio: fgets from memory", fgets),
        Row::cpu("stdio: fgetc from memory", fgetc),
        Row::cpu("numbers: snprintf %d", || {
            // SAFETY: there is room for 64 bytes, and the format is of an int.
            print(|f, to| unsafe { f(to, 64, c"%d".as_ptr(), black_box(-1_234_567)) })
        }),
        Row::cpu("numbers: snprintf %s", || {
            // SAFETY: there is room for 64 bytes, and the format is of a string.
            print(|f, to| unsafe { f(to, 64, c"%s".as_ptr(), LINE.as_ptr()) })
        }),
        Row::cpu("numbers: snprintf %.6f", || {
            // SAFETY: there is room for 64 bytes, and the format is of a double.
            print(|f, to| unsafe { f(to, 64, c"%.6f".as_ptr(), black_box(1_234.567_891)) })
        }),
        Row::cpu("numbers: snprintf %.17g", || {
            // SAFETY: there is room for 64 bytes, and the format is of a double.
            print(|f, to| unsafe { f(to, 64, c"%.17g".as_ptr(), black_box(0.1)) })
        }),
        Row::cpu("numbers: sscanf %d %lf", sscanf),
        Row::cpu("numbers: strtod, short", || strtod(c"1234.5")),
        Row::cpu("numbers: strtod, 17 digits", || {
            strtod(c"0.10000000000000001e-5")
        }),
        Row::cpu("numbers: strtol", strtol),
        Row::cpu("sort: qsort of 10 ints", || {
            qsort(in_no_order::<1>(10, ANY))
        }),
        Row::cpu("sort: qsort of 10,000 ints", || {
            qsort(in_no_order::<1>(10_000, ANY))
        }),
        Row::cpu("sort: qsort of 10,000 sorted ints", || {
            let mut values = in_no_order::<1>(10_000, ANY);
            values.sort_unstable();
            qsort(values)
        }),
        Row::cpu("sort: qsort of 10,000 ints of 16 values", || {
            qsort(in_no_order::<1>(10_000, 16))
        }),
        Row::cpu("sort: qsort of 10,000 times 24 bytes", || {
            qsort(in_no_order::<6>(10_000, ANY))
        }),
        Row::cpu("sort: qsort of 10,000 times 100 bytes", || {
            qsort(in_no_order::<25>(10_000, ANY))
        }),
    ]
}

const LINE: &CStr = c"a line of text as long as most of a log\n";

fn fputs() -> io::Result<Calls> {
    type Put = unsafe extern "C" fn(*const c_char, *mut libc::FILE) -> c_int;
    let (function, stream) = (black_box(libc::fputs as Put), Stream::null()?);
    // SAFETY: a string, and a stream that is open.
    repeat(move || unsafe { function(LINE.as_ptr(), stream.get()) })
}

fn fputc() -> io::Result<Calls> {
    type Put = unsafe extern "C" fn(c_int, *mut libc::FILE) -> c_int;
    let (function, stream) = (black_box(libc::fputc as Put), Stream::null()?);
    // SAFETY: the stream is open.
    repeat(move || unsafe { function(c_int::from(b'x'), stream.get()) })
}

fn fprintf() -> io::Result<Calls> {
    type Print = unsafe extern "C" fn(*mut libc::FILE, *const c_char, ...) -> c_int;
    let (function, stream) = (black_box(libc::fprintf as Print), Stream::null()?);
    // SAFETY: the stream is open, and the format is of an int and a string.
    repeat(move || unsafe { function(stream.get(), c"%d: %s".as_ptr(), 4711, LINE.as_ptr()) })
}

fn fgets() -> io::Result<Calls> {
    type Get = unsafe extern "C" fn(*mut c_char, c_int, *mut libc::FILE) -> *mut c_char;
    let function = black_box(libc::fgets as Get);
    let (stream, mut line) = (Stream::of_lines()?, [0; 256]);
    // SAFETY: the line has room for 256 bytes, and the stream is open.
    repeat(move || unsafe {
        if function(line.as_mut_ptr(), 256, stream.get()).is_null() {
            libc::rewind(stream.get());
        }
    })
}

fn fgetc() -> io::Result<Calls> {
    type Get = unsafe extern "C" fn(*mut libc::FILE) -> c_int;
    let (function, stream) = (black_box(libc::fgetc as Get), Stream::of_lines()?);
    // SAFETY: the stream is open.
    repeat(move || unsafe {
        if function(stream.get()) == libc::EOF {
            libc::rewind(stream.get());
        }
    })
}

/// An open C stream.
struct Stream(*mut libc::FILE);

impl Stream {
    /// For closures that must capture the stream itself: a closure that uses the field would copy
    /// it.
    fn get(&self) -> *mut libc::FILE {
        self.0
    }

    fn null() -> io::Result<Self> {
        // SAFETY: both are strings.
        Self::opened(unsafe { libc::fopen(c"/dev/null".as_ptr(), c"w".as_ptr()) })
    }

    /// Returns a stream of 1,000 lines in memory.
    fn of_lines() -> io::Result<Self> {
        let lines: &[u8] = LINE.to_bytes().repeat(1000).leak();
        // SAFETY: the lines live as long as the program, and are only read.
        Self::opened(unsafe {
            libc::fmemopen(lines.as_ptr().cast_mut().cast(), lines.len(), c"r".as_ptr())
        })
    }

    fn opened(stream: *mut libc::FILE) -> io::Result<Self> {
        if stream.is_null() {
            Err(io::Error::last_os_error())
        } else {
            Ok(Self(stream))
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: it is open, and not used again.
        unsafe { libc::fclose(self.0) };
    }
}

type Print = unsafe extern "C" fn(*mut c_char, usize, *const c_char, ...) -> c_int;

/// Prints into 64 bytes.
fn print(call: impl Fn(Print, *mut c_char) -> c_int + 'static) -> io::Result<Calls> {
    let (function, mut to) = (black_box(libc::snprintf as Print), [0; 64]);
    repeat(move || call(function, to.as_mut_ptr()))
}

fn sscanf() -> io::Result<Calls> {
    type Scan = unsafe extern "C" fn(*const c_char, *const c_char, ...) -> c_int;
    let function = black_box(libc::sscanf as Scan);
    let text = c"-1234567 1234.5";
    repeat(move || {
        let (mut whole, mut real) = (0_i32, 0_f64);
        // SAFETY: the format is of an int and a double.
        let converted = unsafe {
            function(
                text.as_ptr(),
                c"%d %lf".as_ptr(),
                &raw mut whole,
                &raw mut real,
            )
        };
        assert_eq!(converted, 2);
    })
}

fn strtod(text: &'static CStr) -> io::Result<Calls> {
    type Parse = unsafe extern "C" fn(*const c_char, *mut *mut c_char) -> f64;
    let function = black_box(libc::strtod as Parse);
    // SAFETY: the text is a string, and no end pointer is asked for.
    repeat(move || unsafe { function(text.as_ptr(), null_mut()) })
}

fn strtol() -> io::Result<Calls> {
    type Parse = unsafe extern "C" fn(*const c_char, *mut *mut c_char, c_int) -> libc::c_long;
    let function = black_box(libc::strtol as Parse);
    // SAFETY: the text is a string, and no end pointer is asked for.
    repeat(move || unsafe { function(c"-1234567".as_ptr(), null_mut(), 10) })
}

/// More different values than elements to sort.
const ANY: usize = 1 << 30;

/// Returns `n` random numbers out of `values` different ones, each followed by zeros.
fn in_no_order<const INTS: usize>(n: usize, values: usize) -> Vec<[i32; INTS]> {
    let mut numbers = Numbers(3);
    let element = |_| {
        let mut element = [0; INTS];
        element[0] = i32::try_from(numbers.below(values)).unwrap_or_default();
        element
    };
    (0..n).map(element).collect()
}

/// Each call sorts a fresh copy.
fn qsort<const INTS: usize>(values: Vec<[i32; INTS]>) -> io::Result<Calls> {
    extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
        // SAFETY: qsort passes elements of the array, which begin with an int.
        let ordering = unsafe { (*a.cast::<i32>()).cmp(&*b.cast::<i32>()) };
        match ordering {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }
    let mut copy = values.clone();
    repeat(move || {
        copy.copy_from_slice(&values);
        let start = copy.as_mut_ptr().cast();
        // SAFETY: the array has that many elements, and the function compares their ints.
        unsafe { libc::qsort(start, copy.len(), size_of::<[i32; INTS]>(), Some(compare)) }
    })
}
