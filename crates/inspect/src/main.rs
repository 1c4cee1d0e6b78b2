//! Describes ELF files, or checks them.

#![forbid(unsafe_code)]

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use inspect::expect::Requirement;
use inspect::report::Report;
use serde::Serialize;

/// The largest file accepted, in bytes; files are read whole.
const LARGEST: u64 = 4 << 30;

/// Describe ELF files: linkage, C library, malloc, memcpy and getrandom, hardening, embedded list
/// of crates, and build paths left inside
///
/// Files are read, never run. With --expect, files are checked instead, and each requirement that a
/// file fails is one line on standard error.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
struct Arguments {
    /// Programs, shared libraries or object files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
    /// Check this requirement instead of printing a report; can be repeated or separated by commas
    #[arg(long, value_name = "REQUIREMENT", value_delimiter = ',')]
    expect: Vec<Requirement>,
}

const AFTER: &str = "\
Requirements:
  static              it runs without a dynamic linker and shared libraries
  pie                 it is loaded at a random address
  nx                  neither stack nor data is executable
  relro               data that is not written after relocation is read-only
  no-store-paths      it contains no path in the Nix store
  no-build-paths      it contains no /build/, /tmp/nix-build-, /home/ or folder of crate sources
  stripped            it has no symbol table and no debug information
  malloc=NAME         malloc is jemalloc, mimalloc, musl or glibc
  routines=fast-musl  memory and string routines and getrandom are fast-musl's, none is musl's
  architecture=NAME   it is for x86_64 or aarch64

malloc and the routines are identified by the following evidence, which the report names: notes that
fast-musl leaves in a program, stripped or not; the symbol table and the imported names; the machine
code of musl as shipped with rustc (x86_64: musl 1.2.3 and 1.2.5, aarch64: 1.2.5); texts of the
allocators. Without evidence the report says \"unknown\", which meets no requirement.

Examples:
  inspect target/x86_64-unknown-linux-musl/release/program
  inspect --json program | jq .hardening
  inspect --expect static,pie,nx,relro,stripped --expect malloc=jemalloc program

Exit code: 0 on success; 1 if a file fails a requirement, cannot be read, or is not a complete ELF
file; 2 if the command line is wrong.";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read: {0}; check the path and the permissions")]
    Read(#[from] io::Error),
    #[error("not a regular file; give a program, a shared library or an object file")]
    NoFile,
    #[error("the file is larger than {} GiB, the largest size supported; strip it", LARGEST >> 30)]
    TooLarge,
    #[error(transparent)]
    Elf(#[from] inspect::Error),
}

/// The JSON object of a file.
#[derive(Serialize)]
struct Told<'a> {
    file: String,
    #[serde(flatten)]
    report: &'a Report,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut all_well = true;
    for file in &arguments.files {
        match read(file) {
            Ok(report) => {
                all_well &= check(file, &report, &arguments.expect);
                if let Err(error) = print(file, &report, &arguments) {
                    // A closed pipe, as from `head`, is not reported.
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        complain(format_args!(
                            "cannot write the report: {error}; check standard output"
                        ));
                    }
                    return ExitCode::FAILURE;
                }
            }
            Err(error) => {
                complain(format_args!("{}: {error}", file.display()));
                all_well = false;
            }
        }
    }
    if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Writes a line to standard error, and ignores a closed one.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "inspect: {line}");
}

fn read(path: &Path) -> Result<Report, Error> {
    // Checked before opening, because opening a named pipe blocks.
    if !path.metadata()?.is_file() {
        return Err(Error::NoFile);
    }
    let mut data = Vec::new();
    // The limit applies here because the file may grow while it is read.
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut data)?;
    if data.len() as u64 > LARGEST {
        return Err(Error::TooLarge);
    }
    Ok(inspect::inspect(&data)?)
}

/// Checks all requirements, and reports those that the file fails.
fn check(file: &Path, report: &Report, requirements: &[Requirement]) -> bool {
    let mut all_met = true;
    for unmet in requirements.iter().filter_map(|one| one.unmet(report)) {
        complain(format_args!("{}: {unmet}", file.display()));
        all_met = false;
    }
    all_met
}

fn print(file: &Path, report: &Report, arguments: &Arguments) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let name = file.display().to_string();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &Told { file: name, report })?;
        writeln!(out)?;
    } else if arguments.expect.is_empty() {
        write!(out, "{name}\n{report}")?;
    }
    out.flush()
}
