//! ELF files made for tests, and small real ones.

#![allow(dead_code, reason = "each test file uses a part")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use inspect::report::Report;
use object::elf;

const HEADER: usize = 64;
const SEGMENT: usize = 56;
const MOST_SEGMENTS: usize = 16;

/// A 64-bit little-endian ELF file. Each part's address equals its offset.
pub(crate) struct Made {
    kind: elf::FileType,
    machine: elf::Machine,
    content: Vec<u8>,
    segments: Vec<(elf::ProgramType, u32, usize, usize)>,
    sections: Vec<MadeSection>,
    dynamic: Vec<(i64, u64)>,
    strings: Vec<u8>,
}

struct MadeSection {
    name: String,
    kind: elf::SectionType,
    link: u32,
    start: usize,
    size: usize,
}

pub(crate) const R: u32 = 4;
pub(crate) const RW: u32 = 6;
pub(crate) const RX: u32 = 5;
pub(crate) const RWX: u32 = 7;

impl Made {
    pub(crate) fn new(kind: elf::FileType, machine: elf::Machine) -> Self {
        Made {
            kind,
            machine,
            content: vec![0; HEADER + MOST_SEGMENTS * SEGMENT],
            segments: Vec::new(),
            sections: vec![MadeSection {
                name: String::new(),
                kind: elf::SHT_NULL,
                link: 0,
                start: 0,
                size: 0,
            }],
            dynamic: Vec::new(),
            strings: vec![0],
        }
    }

    /// Returns a static PIE for `x86_64` that meets all requirements on its headers, with this
    /// code.
    pub(crate) fn good(code: &[u8]) -> Self {
        let mut made = Made::new(elf::ET_DYN, elf::EM_X86_64);
        made.code(code);
        made.segment(elf::PT_GNU_STACK, RW, &[]);
        made.segment(elf::PT_GNU_RELRO, R, &[]);
        made.dynamic(elf::DT_FLAGS_1, elf::DF_1_PIE.0);
        made
    }

    fn place(&mut self, data: &[u8]) -> usize {
        let start = self.next();
        self.content.resize(start, 0);
        self.content.extend_from_slice(data);
        start
    }

    /// Returns where the next part will begin.
    pub(crate) fn next(&self) -> usize {
        self.content.len().next_multiple_of(16)
    }

    /// Adds data that belongs to no segment, and returns its offset.
    pub(crate) fn data(&mut self, data: &[u8]) -> usize {
        self.place(data)
    }

    pub(crate) fn segment(&mut self, kind: elf::ProgramType, flags: u32, data: &[u8]) -> usize {
        let start = self.place(data);
        self.segments.push((kind, flags, start, data.len()));
        start
    }

    pub(crate) fn code(&mut self, code: &[u8]) -> usize {
        self.segment(elf::PT_LOAD, RX, code)
    }

    pub(crate) fn section(&mut self, name: &str, kind: elf::SectionType, link: u32, data: &[u8]) {
        let start = self.place(data);
        self.sections.push(MadeSection {
            name: name.to_owned(),
            kind,
            link,
            start,
            size: data.len(),
        });
    }

    pub(crate) fn dynamic(&mut self, tag: elf::DynamicTag, value: u64) {
        self.dynamic.push((tag.0, value));
    }

    pub(crate) fn dynamic_text(&mut self, tag: elf::DynamicTag, text: &str) {
        let at = self.strings.len() as u64;
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        self.dynamic(tag, at);
    }

    /// Adds a note of fast-musl, in a segment of its own.
    pub(crate) fn note(&mut self, text: &str) {
        self.segment(elf::PT_NOTE, R, &note(b"fast-musl\0", 1, text.as_bytes()));
    }

    /// Adds a symbol table: name, address, whether it is defined.
    pub(crate) fn symbols(&mut self, table: elf::SectionType, symbols: &[(&str, usize, bool)]) {
        let mut names = vec![0];
        let mut entries = vec![0; 24];
        let mut last = ("", 0);
        for (name, address, is_defined) in symbols {
            // Compares pointers, because comparing long texts is slow.
            if !std::ptr::eq(last.0, *name) {
                last = (name, u32::try_from(names.len()).expect("small"));
                names.extend_from_slice(name.as_bytes());
                names.push(0);
            }
            entries.extend_from_slice(&last.1.to_le_bytes());
            // Global, a function, and in the first section if it is defined.
            entries.extend_from_slice(&[0x12, 0, u8::from(*is_defined), 0]);
            entries.extend_from_slice(&(*address as u64).to_le_bytes());
            entries.extend_from_slice(&0u64.to_le_bytes());
        }
        let link = u32::try_from(self.sections.len() + 1).expect("few");
        let (name, strings) = if table == elf::SHT_SYMTAB {
            (".symtab", ".strtab")
        } else {
            (".dynsym", ".dynstr")
        };
        self.section(name, table, link, &entries);
        self.section(strings, elf::SHT_STRTAB, 0, &names);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        if !self.dynamic.is_empty() {
            let strings = std::mem::take(&mut self.strings);
            let start = self.segment(elf::PT_LOAD, R, &strings);
            self.dynamic(elf::DT_STRTAB, start as u64);
            self.dynamic(elf::DT_STRSZ, strings.len() as u64);
            self.dynamic(elf::DT_NULL, 0);
            let entries: Vec<u8> = std::mem::take(&mut self.dynamic)
                .into_iter()
                .flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()])
                .flatten()
                .collect();
            self.segment(elf::PT_DYNAMIC, RW, &entries);
        }
        let mut names = Vec::new();
        let mut at = Vec::new();
        self.sections.push(MadeSection {
            name: ".shstrtab".to_owned(),
            kind: elf::SHT_STRTAB,
            link: 0,
            start: 0,
            size: 0,
        });
        for section in &self.sections {
            at.push(u32::try_from(names.len()).expect("small"));
            names.extend_from_slice(section.name.as_bytes());
            names.push(0);
        }
        let start = self.place(&names);
        let last = self.sections.last_mut().expect("the names");
        (last.start, last.size) = (start, names.len());
        let mut table = Vec::new();
        for (section, name) in self.sections.iter().zip(at) {
            table.extend_from_slice(&name.to_le_bytes());
            table.extend_from_slice(&section.kind.0.to_le_bytes());
            // Flags and address.
            table.extend_from_slice(&[0; 16]);
            table.extend_from_slice(&(section.start as u64).to_le_bytes());
            table.extend_from_slice(&(section.size as u64).to_le_bytes());
            table.extend_from_slice(&section.link.to_le_bytes());
            // Information, alignment, and the size of an entry.
            table.extend_from_slice(&[0; 20]);
        }
        let table_start = self.place(&table);
        let header = self.header(table_start);
        self.content[..header.len()].copy_from_slice(&header);
        self.content
    }

    fn header(&self, sections: usize) -> Vec<u8> {
        let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
        header.extend_from_slice(&[0; 8]);
        header.extend_from_slice(&self.kind.0.to_le_bytes());
        header.extend_from_slice(&self.machine.0.to_le_bytes());
        header.extend_from_slice(&1u32.to_le_bytes());
        header.extend_from_slice(&0u64.to_le_bytes());
        header.extend_from_slice(&(HEADER as u64).to_le_bytes());
        header.extend_from_slice(&(sections as u64).to_le_bytes());
        header.extend_from_slice(&0u32.to_le_bytes());
        let count = self.sections.len();
        for half in [HEADER, SEGMENT, self.segments.len(), 64, count, count - 1] {
            header.extend_from_slice(&u16::try_from(half).expect("small").to_le_bytes());
        }
        assert!(self.segments.len() <= MOST_SEGMENTS);
        for (kind, flags, start, size) in &self.segments {
            header.extend_from_slice(&kind.0.to_le_bytes());
            header.extend_from_slice(&flags.to_le_bytes());
            for word in [*start, *start, *start, *size, *size, 4] {
                header.extend_from_slice(&(word as u64).to_le_bytes());
            }
        }
        header
    }
}

/// The bytes of an ELF note.
pub(crate) fn note(owner: &[u8], kind: u32, description: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    for word in [owner.len(), description.len()] {
        note.extend_from_slice(&u32::try_from(word).expect("small").to_le_bytes());
    }
    note.extend_from_slice(&kind.to_le_bytes());
    for part in [owner, description] {
        note.extend_from_slice(part);
        note.resize(note.len().next_multiple_of(4), 0);
    }
    note
}

/// Returns musl's code of a routine, with zeros where the linker writes.
pub(crate) fn musl_code(routine: &str, machine: elf::Machine, version: &str) -> Vec<u8> {
    inspect::signatures::all()
        .iter()
        .find(|one| {
            one.routine == routine && one.machine == machine && one.versions.contains(&version)
        })
        .expect("a signature")
        .pattern()
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect()
}

pub(crate) fn told(made: Made) -> Report {
    inspect::inspect(&made.finish()).expect("a report")
}

fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
}

/// Returns rustc's folder for a target; `None`, and a printed line, if that target is not
/// installed.
pub(crate) fn installed(target: &str) -> Option<PathBuf> {
    let output = rustc()
        .args(["--print", "sysroot"])
        .output()
        .expect("rustc starts");
    let sysroot = String::from_utf8(output.stdout).expect("a path");
    let folder = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(target)
        .join("lib");
    if folder.exists() {
        Some(folder)
    } else {
        println!("skipped: {target} is not installed: {}", folder.display());
        None
    }
}

/// A small program with a note like those of fast-musl.
const SMALL: &str = r#"
#[repr(C)]
pub struct Note([u32; 3], [u8; 12], [u8; 4]);

#[used]
#[link_section = ".note.fast-musl"]
pub static NOTE: Note = Note([10, 4, 1], *b"fast-musl\0\0\0", *b"sort");

fn main() {
    let text: String = std::env::args().collect();
    println!("{text}");
}
"#;

/// Compiles the small program with these flags.
fn compiled(name: &str, flags: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Another test program may do the same at the same time.
    let unique = format!("{}-{name}", env!("CARGO_CRATE_NAME"));
    let source = folder.join(format!("{unique}.rs"));
    let program = folder.join(unique);
    std::fs::write(&source, SMALL).expect("written");
    let output = rustc()
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .args(["--crate-name=small", "-Copt-level=2", "-Cpanic=abort"])
        .args(flags)
        .output()
        .expect("rustc starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    program
}

/// A program for this machine.
pub(crate) fn host_program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| compiled("host", &["-Cstrip=symbols"]));
    &PROGRAM
}

/// Returns a static musl program, with or without its symbol table, if rustc has that target.
pub(crate) fn musl_program(target: &str, strip: bool) -> Option<PathBuf> {
    installed(target)?;
    Some(compiled(
        &format!("{target}-{}", if strip { "stripped" } else { "whole" }),
        &[
            &format!("--target={target}"),
            // This linker needs no C compiler.
            "-Clinker=rust-lld",
            if strip {
                "-Cstrip=symbols"
            } else {
                "-Cstrip=none"
            },
        ],
    ))
}
