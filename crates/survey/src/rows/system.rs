//! C library functions in front of system calls.

use std::env;
use std::ffi::{CStr, CString, c_int, c_void};
use std::hint::black_box;
use std::io;
use std::mem;
use std::os::unix::ffi::OsStringExt;
use std::panic;
use std::ptr::{null, null_mut};
use std::thread;

use super::{CONTROL, Calls, RETURN_AT_ONCE, Row, repeat};

mod declared {
    unsafe extern "C" {
        // The `libc` crate declares it for few targets.
        pub(super) fn getentropy(bytes: *mut std::ffi::c_void, length: usize) -> std::ffi::c_int;
    }
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::cpu("system: getrandom, 16 B", getrandom),
        Row::cpu("system: getentropy, 16 B", getentropy),
        Row::cpu("environment: getenv, last of 100", getenv),
        Row::cpu("environment: getenv, none of 100", || {
            set_hundred()?;
            repeat(|| get(c"SURVEY_NONE"))
        }),
        Row::cpu("environment: setenv, last of 100", setenv),
        Row::wall("process: fork and wait", fork),
        Row::wall("process: posix_spawn of this program and wait", spawn),
        Row::cpu("network: getaddrinfo, numeric", getaddrinfo),
        Row::cpu("panic: unwind and catch", || {
            repeat(|| -> thread::Result<()> {
                panic::catch_unwind(|| panic::resume_unwind(Box::new(())))
            })
        }),
        Row::cpu(CONTROL, map),
    ]
}

fn getrandom() -> io::Result<Calls> {
    type Draw = unsafe extern "C" fn(*mut c_void, usize, u32) -> isize;
    let function = black_box(libc::getrandom as Draw);
    repeat(move || {
        let mut bytes = [0_u8; 16];
        // SAFETY: there is room for 16 bytes.
        assert_eq!(unsafe { function(bytes.as_mut_ptr().cast(), 16, 0) }, 16);
        bytes
    })
}

/// This row also links musl's getrandom, which getentropy calls. std refers to getrandom only
/// weakly, and with full link-time optimisation so does this crate: that alone links nothing, and
/// the function's address would be null.
fn getentropy() -> io::Result<Calls> {
    type Draw = unsafe extern "C" fn(*mut c_void, usize) -> c_int;
    let function = black_box(declared::getentropy as Draw);
    repeat(move || {
        let mut bytes = [0_u8; 16];
        // SAFETY: there is room for 16 bytes.
        assert_eq!(unsafe { function(bytes.as_mut_ptr().cast(), 16) }, 0);
        bytes
    })
}

/// Sets variables until there are a hundred; `SURVEY_99` is the last of them.
fn set_hundred() -> io::Result<()> {
    for number in env::vars_os().count()..100 {
        let name = CString::new(format!("SURVEY_{number:02}"))?;
        set(&name, c"some value")?;
    }
    set(c"SURVEY_99", c"some value")
}

fn set(name: &CStr, value: &CStr) -> io::Result<()> {
    // SAFETY: both are strings, and no other thread uses the environment.
    if unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn get(name: &CStr) -> bool {
    // SAFETY: the name is a string, and no other thread uses the environment.
    !unsafe { libc::getenv(black_box(name.as_ptr())) }.is_null()
}

fn getenv() -> io::Result<Calls> {
    set_hundred()?;
    repeat(|| assert!(get(c"SURVEY_99")))
}

fn setenv() -> io::Result<Calls> {
    set_hundred()?;
    let mut values = [c"one value", c"another value"];
    repeat(move || {
        values.swap(0, 1);
        set(c"SURVEY_99", values[0]).expect("there is memory");
    })
}

fn fork() -> io::Result<Calls> {
    repeat(|| {
        // SAFETY: the child exits without doing anything else.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: ends the child.
            unsafe { libc::_exit(0) };
        }
        assert!(child > 0, "fork: {}", io::Error::last_os_error());
        wait(child);
    })
}

fn spawn() -> io::Result<Calls> {
    let path = CString::new(env::current_exe()?.into_os_string().into_vec())?;
    let argument = CString::new(RETURN_AT_ONCE)?;
    repeat(move || {
        let arguments = [
            path.as_ptr().cast_mut(),
            argument.as_ptr().cast_mut(),
            null_mut(),
        ];
        let mut child = 0;
        // SAFETY: the arguments are strings, and null-terminated arrays of strings.
        let error = unsafe {
            libc::posix_spawn(
                &raw mut child,
                path.as_ptr(),
                null(),
                null(),
                arguments.as_ptr(),
                [null_mut()].as_ptr(),
            )
        };
        assert_eq!(
            error,
            0,
            "posix_spawn: {}",
            io::Error::from_raw_os_error(error)
        );
        wait(child);
    })
}

/// Waits for a child, which must succeed.
fn wait(child: libc::pid_t) {
    let mut status: c_int = -1;
    // SAFETY: it only writes the status.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((waited, status), (child, 0), "waitpid");
}

fn getaddrinfo() -> io::Result<Calls> {
    // SAFETY: zeros and null pointers are valid hints.
    let mut hints: libc::addrinfo = unsafe { mem::zeroed() };
    hints.ai_flags = libc::AI_NUMERICHOST | libc::AI_NUMERICSERV;
    hints.ai_socktype = libc::SOCK_STREAM;
    repeat(move || {
        let mut found = null_mut();
        // SAFETY: the arguments are strings and hints; the result is freed once.
        unsafe {
            let error = libc::getaddrinfo(
                c"192.0.2.17".as_ptr(),
                c"4222".as_ptr(),
                &raw const hints,
                &raw mut found,
            );
            assert_eq!(error, 0, "getaddrinfo");
            libc::freeaddrinfo(found);
        }
    })
}

fn map() -> io::Result<Calls> {
    repeat(|| {
        // SAFETY: the memory is new, and is unmapped without being used.
        unsafe {
            let pages = libc::mmap(
                null_mut(),
                64 << 10,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(
                pages,
                libc::MAP_FAILED,
                "mmap: {}",
                io::Error::last_os_error()
            );
            assert_eq!(libc::munmap(pages, 64 << 10), 0, "munmap");
        }
    })
}
