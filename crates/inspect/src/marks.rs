//! Texts that identify a library in a stripped file.
//!
//! Each contains a bar, which is removed before the search, so this program does not find its own
//! list in itself.

use std::hint::black_box;

/// A text with a bar in it.
pub(crate) type Mark = &'static str;

/// The prefix of jemalloc's messages.
pub(crate) const JEMALLOC: Mark = "<jemal|loc>: ";
/// The prefix of mimalloc's warnings.
pub(crate) const MIMALLOC: Mark = "mimalloc: |warning: ";
/// A message of glibc's `malloc`.
pub(crate) const GLIBC_MALLOC: Mark = "malloc(): corrupted |top size";
/// The variable that every glibc program reads at start.
pub(crate) const GLIBC: Mark = "GLIBC_TUN|ABLES";
/// The version in glibc's banner, such as `Debian GLIBC 2.41-12`.
pub(crate) const GLIBC_VERSION: Mark = "GLI|BC 2.";
/// musl's `strerror` text for 0, and the next one in its list.
pub(crate) const MUSL_ERRORS: Mark = "No error information|\0Illegal byte sequence";
/// The prefixes of hexadecimal numbers in musl's `printf`.
pub(crate) const MUSL_PRINTF: Mark = "-0X+0X |0X-0x+0x 0x";
/// The vDSO function for `getrandom` without a system call.
pub(crate) const VDSO_GETRANDOM: Mark = "__vdso_|getrandom";

/// Returns the text without its bar.
pub(crate) fn text(mark: Mark) -> Vec<u8> {
    // The compiler must not know the value, or it could store the text without its bar.
    black_box(mark)
        .bytes()
        .filter(|byte| *byte != b'|')
        .collect()
}
