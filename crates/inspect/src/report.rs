//! The result of [`inspect`](crate::inspect), as data and as text.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

/// A description of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The processor architecture.
    pub architecture: Architecture,
    /// How it is linked.
    pub linkage: Linkage,
    /// The C library.
    pub libc: Libc,
    /// The compilers and the linker.
    pub origin: Origin,
    /// The allocators, and which of them defines `malloc`.
    pub malloc: Malloc,
    /// The origin of memory and string routines and `getrandom`.
    pub routines: Vec<Routine>,
    /// The texts of fast-musl's notes.
    pub notes: Vec<String>,
    /// Protections against exploits.
    pub hardening: Hardening,
    /// What stripping would remove.
    pub symbols: SymbolsLeft,
    /// The embedded list of crates.
    pub dependencies: Dependencies,
    /// Build paths left in the file.
    pub paths: Paths,
}

/// A processor architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Architecture {
    /// Its name, such as `x86_64`.
    pub machine: String,
    /// 32 or 64.
    pub bits: u8,
    /// `little` or `big`.
    pub byte_order: &'static str,
}

/// How a file is linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Linkage {
    /// The kind of file.
    pub kind: Kind,
    /// The dynamic linker that the kernel starts, if there is one.
    pub interpreter: Option<String>,
    /// The shared libraries it needs.
    pub needed: Vec<String>,
    /// The directories in which the dynamic linker looks for them first.
    pub run_paths: Vec<String>,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A program that needs no other file, at a fixed address.
    Static,
    /// A program that needs no other file, at any address.
    StaticPie,
    /// A program for a dynamic linker, at a fixed address.
    Dynamic,
    /// A program for a dynamic linker, at any address.
    DynamicPie,
    /// A shared library.
    SharedLibrary,
    /// An object file.
    Object,
    /// A core dump.
    Core,
    /// Any other type.
    Other,
}

impl Kind {
    /// Returns whether this is a program that needs no other file.
    #[must_use]
    pub fn is_static(self) -> bool {
        matches!(self, Kind::Static | Kind::StaticPie)
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Static => "a static program",
            Kind::StaticPie => "a static PIE program",
            Kind::Dynamic => "a dynamic program",
            Kind::DynamicPie => "a dynamic PIE program",
            Kind::SharedLibrary => "a shared library",
            Kind::Object => "an object file",
            Kind::Core => "a core dump",
            Kind::Other => "an ELF file of an unknown kind",
        })
    }
}

/// A finding and its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told<T> {
    /// The finding.
    pub what: T,
    /// The evidence.
    pub by: String,
}

impl<T> Told<T> {
    pub(crate) fn new(what: T, by: impl Into<String>) -> Self {
        Told {
            what,
            by: by.into(),
        }
    }
}

impl<T: Display> Display for Told<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.by)
    }
}

/// The C library of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Libc {
    /// Its name, if it is known.
    pub name: Option<Told<CLibrary>>,
    /// Its version, if it is known. For a dynamic file, the oldest version that it runs with.
    pub version: Option<Told<String>>,
}

impl Libc {
    pub(crate) fn is(&self, name: CLibrary) -> bool {
        self.name.as_ref().is_some_and(|told| told.what == name)
    }
}

/// A C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CLibrary {
    /// GNU's.
    Glibc,
    /// musl.
    Musl,
    /// Android's.
    Bionic,
    /// uClibc.
    Uclibc,
    /// None: Go's runtime makes its own system calls.
    None,
}

impl Display for CLibrary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CLibrary::Glibc => "glibc",
            CLibrary::Musl => "musl",
            CLibrary::Bionic => "bionic",
            CLibrary::Uclibc => "uClibc",
            CLibrary::None => "none",
        })
    }
}

/// The compilers and the linker of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Compilers that recorded their name. A static program includes those of its libraries.
    pub compilers: Vec<String>,
    /// The linker, if it recorded its name.
    pub linker: Option<String>,
}

/// The allocators of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Malloc {
    /// The allocator that defines `malloc`, if it is known.
    pub answers: Option<Told<Allocator>>,
    /// All linked allocators.
    pub linked: Vec<Told<Allocator>>,
}

/// An allocator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Allocator {
    /// jemalloc.
    Jemalloc,
    /// mimalloc.
    Mimalloc,
    /// `TCMalloc`.
    Tcmalloc,
    /// musl's.
    Musl,
    /// glibc's.
    Glibc,
    /// Another one, by name.
    Other(String),
}

impl Display for Allocator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Allocator::Jemalloc => "jemalloc",
            Allocator::Mimalloc => "mimalloc",
            Allocator::Tcmalloc => "tcmalloc",
            Allocator::Musl => "musl",
            Allocator::Glibc => "glibc",
            Allocator::Other(name) => name,
        })
    }
}

/// A routine and its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Routine {
    /// The routine, such as `memcpy`.
    pub name: &'static str,
    /// Its origin, if it is known.
    pub owner: Option<Told<Owner>>,
}

/// The origin of a routine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// fast-musl's.
    FastMusl,
    /// Stock musl's.
    Musl,
    /// Both fast-musl's and stock musl's: some calls use the slow one.
    FastMuslAndMusl,
    /// glibc's.
    Glibc,
    /// The shared C library's.
    SharedLibrary,
    /// One that calls the vDSO instead of making a system call, and is not known to be
    /// fast-musl's.
    Vdso,
    /// The program's own.
    Own,
    /// None: the file does not call it.
    NotCalled,
}

impl Display for Owner {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Owner::FastMusl => "fast-musl",
            Owner::Musl => "musl",
            Owner::FastMuslAndMusl => "fast-musl and musl, both",
            Owner::Glibc => "glibc",
            Owner::SharedLibrary => "the shared C library",
            Owner::Vdso => "the vDSO",
            Owner::Own => "its own",
            Owner::NotCalled => "not called",
        })
    }
}

/// A file's protections against exploits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hardening {
    /// Whether it is loaded at a random address.
    pub pie: bool,
    /// The reasons why data may be executable; empty if it is not.
    pub executable_data: Vec<String>,
    /// Which data is read-only after relocation.
    pub relro: Relro,
    /// Whether functions check a canary on the stack; `None` if unknown.
    pub stack_protector: Option<Told<bool>>,
    /// The checks of jumps and returns that it requests from the processor.
    pub control_flow: Vec<&'static str>,
}

/// Which data is read-only after relocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relro {
    /// Nothing.
    None,
    /// All but the table that lazy binding writes to.
    Partial,
    /// All of it.
    Full,
}

/// The parts of a file that stripping would remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SymbolsLeft {
    /// It has a symbol table.
    pub symbol_table: bool,
    /// It has debug information.
    pub debug_info: bool,
}

impl SymbolsLeft {
    /// Returns whether neither is present.
    #[must_use]
    pub fn stripped(self) -> bool {
        !self.symbol_table && !self.debug_info
    }
}

/// The list of crates that cargo-auditable embeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dependencies {
    /// There is no list.
    None,
    /// The list cannot be read, for this reason.
    Unreadable(String),
    /// The crates.
    Crates(Vec<Crate>),
}

/// A crate in the embedded list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it came from.
    pub source: String,
    /// Whether it is used only during the build.
    pub build_only: bool,
    /// Whether it is the program itself.
    pub root: bool,
}

/// Build paths left in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// Paths in the Nix store.
    pub store: Left,
    /// Other build directories.
    pub build: Left,
}

/// Paths of one kind that are left in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The number of occurrences.
    pub count: usize,
    /// The first few different ones.
    pub examples: Vec<String>,
}

impl Display for Left {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("none");
        }
        write!(f, "{}, such as {}", self.count, self.examples.join(" "))
    }
}

impl Display for Relro {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relro::None => "no RELRO",
            Relro::Partial => "partial RELRO",
            Relro::Full => "full RELRO",
        })
    }
}

impl Display for Hardening {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.pie { "PIE, " } else { "no PIE, " })?;
        if self.executable_data.is_empty() {
            f.write_str("NX, ")?;
        } else {
            write!(f, "no NX ({}), ", self.executable_data.join("; "))?;
        }
        write!(f, "{}, ", self.relro)?;
        match &self.stack_protector {
            Some(told) if told.what => write!(f, "stack protector ({})", told.by)?,
            Some(told) => write!(f, "no stack protector ({})", told.by)?,
            None => f.write_str("stack protector unknown")?,
        }
        if self.control_flow.is_empty() {
            f.write_str(", no CET or BTI")
        } else {
            write!(f, ", {}", self.control_flow.join(" and "))
        }
    }
}

impl Display for Libc {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(name) = &self.name else {
            return f.write_str("unknown");
        };
        match &self.version {
            Some(version) => write!(f, "{name}, version {version}"),
            None if name.what == CLibrary::None => write!(f, "{name}"),
            None => write!(f, "{name}, version unknown"),
        }
    }
}

impl Display for Malloc {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let linked = || {
            let all: Vec<String> = self.linked.iter().map(ToString::to_string).collect();
            all.join(" and ")
        };
        match &self.answers {
            Some(told) => {
                write!(f, "{told}")?;
                let others: Vec<String> = self
                    .linked
                    .iter()
                    .filter(|other| other.what != told.what)
                    .map(ToString::to_string)
                    .collect();
                if others.is_empty() {
                    Ok(())
                } else {
                    write!(f, "; {} linked as well", others.join(" and "))
                }
            }
            None if self.linked.is_empty() => f.write_str("none known"),
            None => write!(
                f,
                "unknown: {} linked, and no note or symbol shows which defines `malloc`",
                linked()
            ),
        }
    }
}

impl Display for Dependencies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Dependencies::None => f.write_str("no list embedded"),
            Dependencies::Unreadable(reason) => {
                write!(f, "the embedded list cannot be read: {reason}")
            }
            Dependencies::Crates(crates) => {
                write!(f, "{} crates", crates.len())?;
                if let Some(root) = crates.iter().find(|one| one.root) {
                    write!(f, ", those of {} {}", root.name, root.version)?;
                }
                f.write_str(" (list embedded by cargo-auditable; --json prints it)")
            }
        }
    }
}

/// Writes a line of a report: a name and its value.
fn line(f: &mut Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "  {name:<13} {value}")
}

/// Joins a list, or returns `none` if it is empty.
fn list(all: &[String], none: &str) -> String {
    if all.is_empty() {
        none.to_owned()
    } else {
        all.join("; ")
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Architecture {
            machine,
            bits,
            byte_order,
        } = &self.architecture;
        line(
            f,
            "kind",
            format_args!(
                "{} for {machine}, {bits} bits, {byte_order}-endian",
                self.linkage.kind
            ),
        )?;
        if let Some(interpreter) = &self.linkage.interpreter {
            line(f, "interpreter", interpreter)?;
        }
        if !self.linkage.needed.is_empty() {
            line(f, "needs", self.linkage.needed.join(" "))?;
        }
        if !self.linkage.run_paths.is_empty() {
            line(f, "run paths", self.linkage.run_paths.join(" "))?;
        }
        line(f, "libc", &self.libc)?;
        line(f, "compilers", list(&self.origin.compilers, "not recorded"))?;
        line(
            f,
            "linker",
            self.origin
                .linker
                .as_deref()
                .unwrap_or("not recorded (GNU ld does not record its name)"),
        )?;
        line(f, "malloc", &self.malloc)?;
        let mut rest = self.routines.as_slice();
        while let Some(first) = rest.first() {
            let same = rest
                .iter()
                .take_while(|routine| routine.owner == first.owner)
                .count();
            let (group, others) = rest.split_at(same);
            let names: Vec<&str> = group.iter().map(|routine| routine.name).collect();
            let names = names.join(", ");
            match &first.owner {
                Some(told) => line(f, "routines", format_args!("{names}: {told}"))?,
                None => line(
                    f,
                    "routines",
                    format_args!("{names}: unknown (no note, no symbol, no code of musl)"),
                )?,
            }
            rest = others;
        }
        if !self.notes.is_empty() {
            line(
                f,
                "notes",
                format_args!("fast-musl: {}", self.notes.join(", ")),
            )?;
        }
        line(f, "hardening", &self.hardening)?;
        let stripped = match self.symbols {
            SymbolsLeft {
                debug_info: true, ..
            } => "no, it has debug information",
            SymbolsLeft {
                symbol_table: true, ..
            } => "no, it has a symbol table",
            SymbolsLeft { .. } => "yes",
        };
        line(f, "stripped", stripped)?;
        line(f, "dependencies", &self.dependencies)?;
        line(f, "store paths", &self.paths.store)?;
        line(f, "build paths", &self.paths.build)
    }
}
