//! Prints what ELF files are made of, or checks it.

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

/// A file may be as large as this, in bytes: it is read whole.
const LARGEST: u64 = 4 << 30;

/// Tells of any ELF file how it is linked, which C library, malloc, memcpy and getrandom it has, how
/// it is hardened, which crates it is made of, and which paths of its build are left inside.
///
/// The file is read, never run. With --expect, it is checked instead: each requirement that a file
/// does not meet is a line on standard error.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
struct Arguments {
    /// The files: programs, shared libraries or object files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON: an object for each file, one after the other
    #[arg(long)]
    json: bool,
    /// Check this instead of printing a report; several requirements with commas, or given again
    #[arg(long, value_name = "REQUIREMENT", value_delimiter = ',')]
    expect: Vec<Requirement>,
}

const AFTER: &str = "\
Requirements:
  static              no dynamic linker and no shared library is needed to run it
  pie                 it is loaded at a random address
  nx                  neither stack nor data can be executed
  relro               what need not be written after relocation is read-only
  no-store-paths      no path in the Nix store is anywhere in it
  no-build-paths      no /build/, /tmp/nix-build-, /home/ or folder of crates' sources is
  stripped            no symbol table and no debug information
  malloc=NAME         this one answers malloc: jemalloc, mimalloc, musl or glibc
  routines=fast-musl  memory and string routines and getrandom are fast-musl's, none is musl's
  architecture=NAME   it is for x86_64 or aarch64

How malloc and the routines are told, and the report says by which: notes that fast-musl leaves in a
program, stripped or not; the symbol table and the imported names; the machine code of musl as rustc
brings it (x86_64: musl 1.2.3 and 1.2.5, aarch64: 1.2.5), and texts of the allocators. What the file
does not tell is printed as such, and meets no requirement.

Examples:
  inspect target/x86_64-unknown-linux-musl/release/program
  inspect --json program | jq .hardening
  inspect --expect static,pie,nx,relro,stripped --expect malloc=jemalloc program

Exit code: 0 if all went well; 1 if a requirement is not met, or a file cannot be read or is no whole
ELF file; 2 if the command line is wrong.";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot be read: {0}; check the path and the permissions")]
    Read(#[from] io::Error),
    #[error("this is no regular file; name a program, a shared library or an object file")]
    NoFile,
    #[error("the file is larger than {} GiB, which is more than is read; strip it", LARGEST >> 30)]
    TooLarge,
    #[error(transparent)]
    Elf(#[from] inspect::Error),
}

/// What is printed of a file as JSON.
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
                    // A reader that has seen enough, such as `head`, is no failure to talk of.
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        complain(format_args!(
                            "cannot write the report: {error}; check where standard output leads"
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

/// Writes a line on standard error. Where that is closed, there is nobody to tell.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "inspect: {line}");
}

fn read(path: &Path) -> Result<Report, Error> {
    // Before it is opened, which waits where it is a named pipe.
    if !path.metadata()?.is_file() {
        return Err(Error::NoFile);
    }
    let mut data = Vec::new();
    // It may grow while it is read.
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut data)?;
    if data.len() as u64 > LARGEST {
        return Err(Error::TooLarge);
    }
    Ok(inspect::inspect(&data)?)
}

/// Does the file meet all requirements?
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
