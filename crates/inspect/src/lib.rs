//! Describes an ELF file from its contents: linkage, C library, `malloc` and other routines,
//! hardening, embedded dependency list, and build paths left in it.
//!
//! [`inspect`] parses a file's bytes into a [`Report`], and a
//! [`Requirement`](expect::Requirement) checks a report. Nothing is run, and no offset in the file
//! is trusted: any input gives a report or an error.
//!
//! # How routines are identified
//!
//! By the strongest evidence available, which the report names:
//!
//! 1. Notes of fast-musl (ELF notes with the owner `fast-musl`, type 1, one for each linked part of
//!    the crate: `memory`, `strings`, `getrandom`, `malloc=jemalloc` …). Stripping keeps them.
//! 2. The symbol table, if there is one, and in dynamic files the imported names.
//! 3. The machine code of stock musl's routines ([`signatures`]), and texts that an allocator
//!    prints.
//!
//! A linked allocator does not necessarily define `malloc`: Rust's `#[global_allocator]` calls it
//! by its own names, C code calls `malloc`. The report shows both separately.

#![forbid(unsafe_code)]

mod dependencies;
mod elf;
pub mod expect;
mod hardening;
mod libc;
mod malloc;
mod marks;
mod origin;
mod paths;
pub mod report;
mod routines;
pub mod signatures;
mod text;

pub use crate::elf::Error;

use crate::elf::Elf;
use crate::report::Report;

/// Parses the bytes of an ELF file.
///
/// # Errors
///
/// If `data` is not an ELF file, or is truncated or damaged.
pub fn inspect(data: &[u8]) -> Result<Report, Error> {
    let elf = Elf::parse(data)?;
    let linkage = elf.linkage();
    let origin = origin::origin(&elf);
    let libc = libc::libc(&elf, &linkage, &origin);
    Ok(Report {
        architecture: elf.architecture(),
        malloc: malloc::malloc(&elf, &linkage, &libc),
        routines: routines::routines(&elf, &linkage, &libc),
        notes: elf.fast_musl_notes().map(text::printable).collect(),
        hardening: hardening::hardening(&elf, &linkage),
        symbols: elf.symbols_left(),
        dependencies: dependencies::dependencies(&elf),
        paths: paths::paths(data),
        linkage,
        libc,
        origin,
    })
}
