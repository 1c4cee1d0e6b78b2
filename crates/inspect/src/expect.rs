//! Requirements on a file, and how a file fails them.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use crate::report::{Allocator, Left, Owner, Relro, Report};
use crate::routines::PARTS;

/// A requirement on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// It runs without any other file.
    Static,
    /// It is loaded at a random address.
    Pie,
    /// Its data and stack are not executable.
    Nx,
    /// Data that is not written after relocation is read-only.
    Relro,
    /// It contains no path in the Nix store.
    NoStorePaths,
    /// It contains no build directory.
    NoBuildPaths,
    /// It has neither a symbol table nor debug information.
    Stripped,
    /// `malloc` is this allocator's.
    Malloc(Allocator),
    /// The memory and string routines and `getrandom` are fast-musl's, and stock musl's are absent.
    FastMusl,
    /// It is for this processor.
    Architecture(String),
}

/// The architectures that a requirement can name.
const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// A requirement has another form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown requirement {0:?}; expected static, pie, nx, relro, no-store-paths, no-build-paths, stripped, malloc=jemalloc|mimalloc|musl|glibc, routines=fast-musl or architecture=x86_64|aarch64"
)]
pub struct UnknownRequirement(String);

impl FromStr for Requirement {
    type Err = UnknownRequirement;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownRequirement(text.to_owned());
        Ok(match text.split_once('=') {
            None => match text {
                "static" => Requirement::Static,
                "pie" => Requirement::Pie,
                "nx" => Requirement::Nx,
                "relro" => Requirement::Relro,
                "no-store-paths" => Requirement::NoStorePaths,
                "no-build-paths" => Requirement::NoBuildPaths,
                "stripped" => Requirement::Stripped,
                _ => return Err(unknown()),
            },
            Some(("malloc", name)) => Requirement::Malloc(match name {
                "jemalloc" => Allocator::Jemalloc,
                "mimalloc" => Allocator::Mimalloc,
                "musl" => Allocator::Musl,
                "glibc" => Allocator::Glibc,
                _ => return Err(unknown()),
            }),
            Some(("routines", "fast-musl")) => Requirement::FastMusl,
            Some(("architecture", name)) if ARCHITECTURES.contains(&name) => {
                Requirement::Architecture(name.to_owned())
            }
            Some(_) => return Err(unknown()),
        })
    }
}

impl Display for Requirement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Requirement::Static => f.write_str("static"),
            Requirement::Pie => f.write_str("pie"),
            Requirement::Nx => f.write_str("nx"),
            Requirement::Relro => f.write_str("relro"),
            Requirement::NoStorePaths => f.write_str("no-store-paths"),
            Requirement::NoBuildPaths => f.write_str("no-build-paths"),
            Requirement::Stripped => f.write_str("stripped"),
            Requirement::Malloc(allocator) => write!(f, "malloc={allocator}"),
            Requirement::FastMusl => f.write_str("routines=fast-musl"),
            Requirement::Architecture(name) => write!(f, "architecture={name}"),
        }
    }
}

/// A requirement that a file fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The requirement.
    pub expected: Requirement,
    /// What was found instead.
    pub found: String,
    /// The usual cause, and what to do.
    pub cause: &'static str,
}

impl Display for Unmet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected {}, but {}; usual cause: {}",
            self.expected, self.found, self.cause
        )
    }
}

impl Requirement {
    /// Returns how the file fails the requirement, if it does.
    #[must_use]
    pub fn unmet(&self, report: &Report) -> Option<Unmet> {
        let (found, cause) = match self {
            Requirement::Static => not_static(report),
            Requirement::Pie => not_pie(report),
            Requirement::Nx => {
                let reasons = &report.hardening.executable_data;
                (!reasons.is_empty()).then(|| (reasons.join("; "), NOT_NX))
            }
            Requirement::Relro => (report.hardening.relro == Relro::None)
                .then(|| ("it has no PT_GNU_RELRO".to_owned(), NOT_RELRO)),
            Requirement::NoStorePaths => paths_left(&report.paths.store, STORE_PATHS),
            Requirement::NoBuildPaths => paths_left(&report.paths.build, BUILD_PATHS),
            Requirement::Stripped => not_stripped(report),
            Requirement::Malloc(wanted) => other_malloc(report, wanted),
            Requirement::FastMusl => not_fast_musl(report),
            Requirement::Architecture(wanted) => {
                let machine = &report.architecture.machine;
                (machine != wanted).then(|| (format!("it is for {machine}"), OTHER_ARCHITECTURE))
            }
        }?;
        Some(Unmet {
            expected: self.clone(),
            found,
            cause,
        })
    }
}

const NOT_STATIC: &str = "it was built for a gnu target, or a build script or flag links a shared library; build for a -musl target and link each C dependency statically";
const NO_PROGRAM: &str = "the file is not the program; give the program";
const NOT_PIE: &str = "it was built with relocation-model=static or -no-pie, or for a target whose static programs rustc links at a fixed address, such as aarch64-unknown-linux-musl";
const NOT_NX: &str =
    "an assembly file without a .note.GNU-stack section, or the linker flag -z execstack";
const NOT_RELRO: &str = "the linker flag -z norelro, or a linker that needs -z relro to be set";
const STORE_PATHS: &str = "debug information, a C library's built-in default path, or source paths; strip the program, and build with --remap-path-prefix";
const BUILD_PATHS: &str = "source paths in panic messages or debug information, including that of rustc's own musl; strip the program, and build with --remap-path-prefix";
const NOT_STRIPPED: &str = "a profile without strip = true";
const OTHER_MALLOC: &str = "the crate or archive with the allocator comes after libc.a, its feature is off, or the allocator is only Rust's #[global_allocator]";
const UNTOLD_MALLOC: &str = "the file is stripped and has no note of fast-musl; link fast-musl's malloc, or check the file before it is stripped";
const NOT_FAST_MUSL: &str =
    "the crate fast-musl is not linked, is built without optimisation, or comes after libc.a";
const SLOW_AS_WELL: &str = "an archive contains its own libc, or a part of fast-musl is not linked, so a call of musl's routine was resolved before fast-musl's";
const OTHER_ARCHITECTURE: &str = "the build has another --target";

type Found = Option<(String, &'static str)>;

fn not_static(report: &Report) -> Found {
    let linkage = &report.linkage;
    if linkage.kind.is_static() {
        return None;
    }
    let mut wants = Vec::new();
    if let Some(interpreter) = &linkage.interpreter {
        wants.push(format!("the dynamic linker {interpreter}"));
    }
    wants.extend(linkage.needed.iter().cloned());
    Some(if wants.is_empty() {
        (format!("it is {}", linkage.kind), NO_PROGRAM)
    } else {
        (format!("it needs {}", wants.join(", ")), NOT_STATIC)
    })
}

fn not_pie(report: &Report) -> Found {
    if report.hardening.pie {
        return None;
    }
    Some((format!("it is {}", report.linkage.kind), NOT_PIE))
}

fn paths_left(left: &Left, cause: &'static str) -> Found {
    (left.count > 0).then(|| {
        let paths = if left.count == 1 { "path" } else { "paths" };
        let examples = left.examples.join(" ");
        (
            format!("it contains {} {paths}: {examples}", left.count),
            cause,
        )
    })
}

fn not_stripped(report: &Report) -> Found {
    let symbols = report.symbols;
    let has = match (symbols.symbol_table, symbols.debug_info) {
        (false, false) => return None,
        (true, false) => "it has a symbol table",
        (false, true) => "it has debug information",
        (true, true) => "it has a symbol table and debug information",
    };
    Some((has.to_owned(), NOT_STRIPPED))
}

fn other_malloc(report: &Report, wanted: &Allocator) -> Found {
    match &report.malloc.answers {
        Some(told) if told.what == *wanted => None,
        Some(_) => Some((format!("malloc is {}", report.malloc), OTHER_MALLOC)),
        None if report.malloc.linked.is_empty() => {
            Some(("it contains no known allocator".to_owned(), OTHER_MALLOC))
        }
        None => Some((format!("malloc {}", report.malloc), UNTOLD_MALLOC)),
    }
}

fn not_fast_musl(report: &Report) -> Found {
    let missing: Vec<&str> = PARTS
        .into_iter()
        .filter(|part| !report.notes.iter().any(|note| note == part))
        .collect();
    if !missing.is_empty() {
        let what = format!("it has no note of fast-musl for {}", missing.join(", "));
        return Some((what, NOT_FAST_MUSL));
    }
    let slow: Vec<&str> = report
        .routines
        .iter()
        .filter(|routine| {
            routine
                .owner
                .as_ref()
                .is_none_or(|told| told.what != Owner::FastMusl)
        })
        .map(|routine| routine.name)
        .collect();
    (!slow.is_empty()).then(|| {
        (
            format!("it also contains stock musl's {}", slow.join(", ")),
            SLOW_AS_WELL,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_written_as_they_are_read() {
        for text in [
            "static",
            "pie",
            "nx",
            "relro",
            "no-store-paths",
            "no-build-paths",
            "stripped",
            "malloc=jemalloc",
            "malloc=mimalloc",
            "malloc=musl",
            "malloc=glibc",
            "routines=fast-musl",
            "architecture=x86_64",
            "architecture=aarch64",
        ] {
            let requirement: Requirement = text.parse().expect("a requirement");
            assert_eq!(requirement.to_string(), text);
        }
    }

    #[test]
    fn others_are_refused_with_the_list() {
        for text in [
            "",
            "Static",
            "static=yes",
            "malloc",
            "malloc=",
            "malloc=best",
            "routines=musl",
            "architecture=sparc",
        ] {
            let error = text.parse::<Requirement>().expect_err("not a requirement");
            assert!(error.to_string().contains("malloc=jemalloc|"), "{error}");
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
