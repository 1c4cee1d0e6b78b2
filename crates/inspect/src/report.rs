//! What [`inspect`](crate::inspect) tells, as data and as text.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

/// All that is told of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The processor that the file is for.
    pub architecture: Architecture,
    /// How it is linked.
    pub linkage: Linkage,
    /// The C library.
    pub libc: Libc,
    /// What built it.
    pub origin: Origin,
    /// The allocators in it, and which of them answers `malloc`.
    pub malloc: Malloc,
    /// Whose memory and string routines and `getrandom` it has.
    pub routines: Vec<Routine>,
    /// The notes that fast-musl left.
    pub notes: Vec<String>,
    /// Its defences.
    pub hardening: Hardening,
    /// What stripping would remove.
    pub symbols: SymbolsLeft,
    /// The crates that it says it is made of.
    pub dependencies: Dependencies,
    /// Paths of the machine that built it.
    pub paths: Paths,
}

/// The processor that a file is for.
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
    /// The dynamic linker that the kernel starts, if any.
    pub interpreter: Option<String>,
    /// The shared libraries it needs.
    pub needed: Vec<String>,
    /// Where the dynamic linker looks for them first.
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
    /// The memory of a program that has crashed.
    Core,
    /// Something else.
    Other,
}

impl Kind {
    /// Is it a program that needs no other file?
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

/// Something told, and what tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told<T> {
    /// What is told.
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
    /// Its name, if it can be told.
    pub name: Option<Told<CLibrary>>,
    /// Its version, if it can be told. Of a dynamic file, the least that it runs with.
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
    /// Go's runtime makes its system calls itself.
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

/// What built a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The compilers that left their name. A static program has those of its libraries as well.
    pub compilers: Vec<String>,
    /// The linker, if it left its name.
    pub linker: Option<String>,
}

/// The allocators of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Malloc {
    /// Which one answers `malloc`, if it can be told.
    pub answers: Option<Told<Allocator>>,
    /// All that are linked in.
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
    /// musl's own.
    Musl,
    /// glibc's own.
    Glibc,
    /// One of another name.
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

/// Whose routine a file has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Routine {
    /// The routine, such as `memcpy`.
    pub name: &'static str,
    /// Whose it is, if it can be told.
    pub owner: Option<Told<Owner>>,
}

/// Whose a routine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// fast-musl's.
    FastMusl,
    /// Stock musl's.
    Musl,
    /// There are fast-musl's and stock musl's: something calls the slow one.
    FastMuslAndMusl,
    /// glibc's.
    Glibc,
    /// That of the shared C library the file runs with.
    SharedLibrary,
    /// One that asks the kernel's shared object, without a system call, and is not fast-musl's
    /// so far as the file tells.
    Vdso,
    /// One of its own.
    Own,
    /// Nobody's: nothing in the file calls it.
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
            Owner::Vdso => "by the vDSO",
            Owner::Own => "its own",
            Owner::NotCalled => "not called",
        })
    }
}

/// The defences of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hardening {
    /// It is loaded at a random address.
    pub pie: bool,
    /// Why its data could be executed; nothing if it cannot.
    pub executable_data: Vec<String>,
    /// What is made read-only after relocation.
    pub relro: Relro,
    /// Functions check a canary on the stack; `None` if it cannot be told.
    pub stack_protector: Option<Told<bool>>,
    /// What it asks the processor to check of jumps and returns.
    pub control_flow: Vec<&'static str>,
}

/// What of a file's data is made read-only after relocation.
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

/// What of a file stripping would remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SymbolsLeft {
    /// It has a symbol table.
    pub symbol_table: bool,
    /// It has debug information.
    pub debug_info: bool,
}

impl SymbolsLeft {
    /// Neither is left.
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
    /// There is one that cannot be read.
    Unreadable(String),
    /// The crates.
    Crates(Vec<Crate>),
}

/// A crate that a file says it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it came from.
    pub source: String,
    /// It helped in the build, and is not in the program.
    pub build_only: bool,
    /// It is the program itself.
    pub root: bool,
}

/// Paths of the machine that built a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// Paths in the Nix store.
    pub store: Left,
    /// Other folders of a build.
    pub build: Left,
}

/// Paths of one kind that were left in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Left {
    /// How many, repetitions counted.
    pub count: usize,
    /// The first few that differ.
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
            None => f.write_str("stack protector cannot be told")?,
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
            return f.write_str("cannot be told");
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
                "cannot be told: {} linked, and no note or symbol says which answers `malloc`",
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
                write!(f, "a list is embedded that cannot be read: {reason}")
            }
            Dependencies::Crates(crates) => {
                write!(f, "{} crates", crates.len())?;
                if let Some(root) = crates.iter().find(|one| one.root) {
                    write!(f, ", those of {} {}", root.name, root.version)?;
                }
                f.write_str(" (a list of cargo-auditable; --json prints it)")
            }
        }
    }
}

/// Writes a line of a report: what, and what is told of it.
fn line(f: &mut Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "  {name:<13} {value}")
}

/// Of an empty list, says so.
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
                .unwrap_or("not recorded (GNU ld leaves no name)"),
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
                    format_args!(
                        "{names}: cannot be told (no note, no symbol, none of musl's code)"
                    ),
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
