//! Fast memory and string routines, `getrandom`, rounding, `qsort` and, on request, `malloc` for
//! programs linked statically with musl.
//!
//! Add `use fast_musl as _;` to the program; no other change is needed. On other systems than Linux
//! with musl the crate is empty. A build without optimisation (`opt-level = 0`) keeps musl's
//! routines: musl's `posix_spawn`, behind `std::process::Command`, runs its child on five kilobytes
//! of stack, which unoptimised routines exceed. `malloc` is replaced at every optimisation level.
//!
//! # Features
//!
//! - `memory` (default): `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`.
//! - `strings` (default): `strlen`, `strnlen`, `memchr`, `memrchr`, `strchr`, `strchrnul`,
//!   `strrchr`, `strspn`, `strcspn`, `strpbrk`, `memmem`, `strstr`, `strcmp`, `strncmp`, `strcasecmp`,
//!   `strncasecmp`, `strcpy`, `stpcpy`, `strncpy`, `stpncpy`, `strncat`, `strlcpy`, `strlcat`, `memccpy`.
//! - `getrandom` (default): `getrandom`, answered by the vDSO. It reaches code that calls libc's
//!   function. Code that makes the system call itself, such as version 0.2 of the crate `getrandom`,
//!   does not get faster.
//! - `math` (default): `fma`, `floor`, `ceil`, `trunc`, `round`, `rint`, `nearbyint`, and the same
//!   for `float`, on `x86_64`. `f64::mul_add`, `f64::floor` and similar methods call them.
//! - `sort` (default): `qsort`, `qsort_r`.
//! - `malloc`: `malloc`, `free` and the functions that belong to them from jemalloc, for C and C++
//!   code and for Rust's `System` allocator.
#![no_std]
#![no_builtins]

/// Defines a weak symbol for a function of the same module, so a program may define this name
/// itself. musl's objects are linked on demand, so programs can define names that belong to libc.
#[cfg(all(any(feature = "strings", feature = "sort"), replaced))]
macro_rules! weak_symbol {
    ($name:literal, $function:literal) => {
        core::arch::global_asm!(
            concat!(".weak ", $name),
            concat!(".type ", $name, ", %function"),
            concat!(".set ", $name, ", ", $function),
        );
    };
}

/// Defines an ELF note beside the symbols of its module, so a stripped program still shows which
/// routines it has (`readelf --notes`). The owner is `fast-musl`, the type 1, the description
/// `$text`.
#[cfg(any(
    replaced,
    all(feature = "malloc", target_os = "linux", target_env = "musl")
))]
#[allow(
    unused_macros,
    reason = "not every feature exists on every architecture"
)]
macro_rules! note {
    ($text:literal) => {
        core::arch::global_asm!(
            ".pushsection .note.fast-musl, \"a\", %note",
            ".balign 4",
            ".long 3f - 2f",
            ".long 5f - 4f",
            ".long 1",
            "2: .asciz \"fast-musl\"",
            "3: .balign 4",
            concat!("4: .ascii \"", $text, "\""),
            "5: .balign 4",
            ".popsection",
        );
    };
}

#[cfg(all(feature = "malloc", target_os = "linux", target_env = "musl"))]
mod malloc;

#[cfg(all(feature = "getrandom", replaced))]
mod random;

#[cfg(all(
    any(feature = "memory", feature = "strings", feature = "sort"),
    replaced
))]
mod access;

#[cfg(all(
    any(feature = "memory", feature = "strings", feature = "math"),
    replaced
))]
mod cpu;

/// Public for this crate's tests and examples; programs call the symbols.
#[cfg(all(feature = "memory", replaced))]
#[doc(hidden)]
pub mod memory;

/// As above.
#[cfg(all(feature = "strings", replaced))]
#[doc(hidden)]
pub mod strings;

/// As above.
#[cfg(all(feature = "math", replaced))]
#[doc(hidden)]
pub mod math;

/// As above.
#[cfg(all(feature = "sort", replaced))]
#[doc(hidden)]
pub mod sort;
