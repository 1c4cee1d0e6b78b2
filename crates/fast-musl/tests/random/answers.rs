//! Lengths, flags and errno.

use crate::tools::{draw, errno, fill};

#[test]
fn every_length_is_filled_and_no_more() {
    draw();
    let long = [65_535, 65_536, 65_537, 1_048_579];
    for len in (0..=1_024).chain(long) {
        let mut bytes = vec![0_u8; len + 16];
        // SAFETY: the buffer is longer than `len`.
        let result = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), len, 0) };
        assert_eq!(result, len.cast_signed());
        assert_eq!(bytes[len..], [0; 16], "wrote past {len} bytes");
        // A byte is zero with probability 1/256; 16 in a row are not.
        let untouched = bytes[..len].chunks_exact(16).any(|part| part == [0; 16]);
        assert!(!untouched, "left a part of {len} bytes out");
    }
}

#[test]
fn flags_that_the_kernel_takes() {
    // GRND_NONBLOCK 1, GRND_RANDOM 2, GRND_INSECURE 4.
    for flags in 0..=5 {
        let (bytes, result) = fill::<32>(flags);
        assert_eq!(result, 32, "flags {flags}");
        assert_ne!(bytes, [0; 32], "flags {flags}");
    }
}

#[test]
fn flags_that_the_kernel_refuses() {
    for flags in [6, 7, 8, 9, 0x100, 0x8000_0000, u32::MAX] {
        for len in [0, 16] {
            let mut bytes = [0_u8; 16];
            // SAFETY: the buffer has 16 bytes.
            let result = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), len, flags) };
            assert_eq!((result, errno()), (-1, libc::EINVAL), "flags {flags:#x}");
            assert_eq!(bytes, [0; 16]);
        }
    }
}

#[test]
fn success_leaves_errno_alone() {
    // A new thread's first call also maps memory and blocks signals.
    let thread = std::thread::spawn(|| {
        for _ in 0..3 {
            // SAFETY: errno is the thread's own.
            unsafe { *libc::__errno_location() = 4_000 };
            let (_, result) = fill::<16>(0);
            assert_eq!((result, errno()), (16, 4_000));
        }
    });
    thread.join().expect("errno is left alone");
}
