//! What an ELF file is made of, told from the file alone: linkage, C library, `malloc` and other
//! routines, hardening, embedded list of dependencies, and paths of the build left inside.
//!
//! [`inspect`] reads a file's bytes into a [`Report`], and a
//! [`Requirement`](expect::Requirement) checks a report. Nothing is run, and no offset in the file is
//! trusted: any input gives a report or an error.
//!
//! # How the routines are told
//!
//! From the strongest evidence that is there, and the report names it:
//!
//! 1. Notes of fast-musl (ELF notes with the owner `fast-musl`, type 1, one for each part of the crate
//!    that was linked: `memory`, `strings`, `getrandom`, `malloc=jemalloc` …). Stripping keeps them.
//! 2. The symbol table, where there is one, and in dynamic files the names that are imported.
//! 3. The machine code of stock musl's routines ([`signatures`]), and texts that an allocator prints.
//!
//! An allocator that is linked need not be the one that answers `malloc`: Rust's
//! `#[global_allocator]` calls it by its own names, C code calls `malloc`. The report keeps the two apart.

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

/// Reads the bytes of an ELF file.
///
/// # Errors
///
/// When `data` is no ELF file, or one that is cut short or damaged.
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
