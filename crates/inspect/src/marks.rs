//! Texts that tell a library in a file that is stripped.
//!
//! A bar stands in the middle of each and is taken out before the search, so that this program does
//! not find its own list in itself.

use std::hint::black_box;

/// A text with a bar in it.
pub(crate) type Mark = &'static str;

/// In front of each message of jemalloc.
pub(crate) const JEMALLOC: Mark = "<jemal|loc>: ";
/// In front of each warning of mimalloc.
pub(crate) const MIMALLOC: Mark = "mimalloc: |warning: ";
/// A message of glibc's `malloc`.
pub(crate) const GLIBC_MALLOC: Mark = "malloc(): corrupted |top size";
/// The variable that every program of glibc reads when it starts.
pub(crate) const GLIBC: Mark = "GLIBC_TUN|ABLES";
/// The version in glibc's name for itself, such as `Debian GLIBC 2.41-12`.
pub(crate) const GLIBC_VERSION: Mark = "GLI|BC 2.";
/// What musl's `strerror` says of 0, and the error that comes next in its list.
pub(crate) const MUSL_ERRORS: Mark = "No error information|\0Illegal byte sequence";
/// The prefixes of hexadecimal numbers in musl's `printf`.
pub(crate) const MUSL_PRINTF: Mark = "-0X+0X |0X-0x+0x 0x";
/// The kernel's function behind a `getrandom` without a system call.
pub(crate) const VDSO_GETRANDOM: Mark = "__vdso_|getrandom";

/// The text without its bar.
pub(crate) fn text(mark: Mark) -> Vec<u8> {
    // Unknown to the compiler, which could store the text without its bar.
    black_box(mark)
        .bytes()
        .filter(|byte| *byte != b'|')
        .collect()
}
