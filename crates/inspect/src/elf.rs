//! The parts of an ELF file that the other modules use.

use std::collections::HashSet;

use memchr::memmem;
use object::elf;
use object::read::elf::{
    Dyn as _, FileHeader, NoteIterator, ProgramHeader as _, SectionHeader as _, Sym as _,
};
use object::{Endian as _, Endianness};

use crate::report::{Architecture, Kind, Linkage, SymbolsLeft};
use crate::text;

/// The owner of fast-musl's notes, and their only type.
const NOTE_OWNER: &[u8] = b"fast-musl";
const NOTE_TYPE: u32 = 1;

/// The number of notes read from a file; files have a handful.
const MOST_NOTES: usize = 4096;
/// The number of needed libraries and run paths read from a file.
const MOST_NAMES: usize = 1024;

/// The file is not an ELF file, or is damaged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file does not begin with ELF's magic number.
    #[error(
        "not an ELF file: it does not begin with 7f 45 4c 46; give a Linux program, shared library or object file"
    )]
    NotElf,
    /// A part lies outside the file or is malformed.
    #[error(
        "cannot read {part} ({reason}): the file is truncated or damaged; build or copy it again"
    )]
    Damaged {
        /// The part.
        part: &'static str,
        /// Why.
        reason: String,
    },
}

/// For `map_err`: names the part that the crate `object` could not read.
fn damaged(part: &'static str) -> impl Fn(object::read::Error) -> Error {
    move |error| Error::Damaged {
        part,
        reason: error.to_string(),
    }
}

/// The entries of the dynamic segment.
type Dynamic = Vec<(elf::DynamicTag, u64)>;

pub(crate) struct Elf<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) endian: Endianness,
    pub(crate) machine: elf::Machine,
    pub(crate) segments: Vec<Segment<'a>>,
    pub(crate) sections: Vec<Section<'a>>,
    pub(crate) dynamic: Dynamic,
    pub(crate) notes: Vec<Note<'a>>,
    /// `None` if the file has no symbol table because it is stripped.
    pub(crate) symbols: Option<Vec<Symbol<'a>>>,
    pub(crate) dynamic_symbols: Vec<Symbol<'a>>,
    bits: u8,
    file_type: elf::FileType,
}

pub(crate) struct Segment<'a> {
    pub(crate) kind: elf::ProgramType,
    pub(crate) flags: u32,
    pub(crate) address: u64,
    pub(crate) offset: usize,
    pub(crate) data: &'a [u8],
}

impl Segment<'_> {
    pub(crate) fn is_executable(&self) -> bool {
        self.flags & elf::PF_X.0 != 0
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.flags & elf::PF_W.0 != 0
    }
}

pub(crate) struct Section<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) data: &'a [u8],
    kind: elf::SectionType,
    flags: u64,
    link: usize,
    offset: usize,
}

pub(crate) struct Note<'a> {
    pub(crate) owner: &'a [u8],
    pub(crate) kind: u32,
    pub(crate) description: &'a [u8],
}

#[derive(Clone, Copy)]
pub(crate) struct Symbol<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) address: u64,
    pub(crate) is_defined: bool,
    /// Whether the function is selected at program start, like glibc's memory routines.
    pub(crate) is_indirect: bool,
}

impl<'a> Elf<'a> {
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, Error> {
        if !data.starts_with(&elf::ELFMAG) {
            return Err(Error::NotElf);
        }
        // The ELF class is the fifth byte.
        if data.get(4) == Some(&elf::ELFCLASS32.0) {
            Self::parse_class::<elf::FileHeader32<Endianness>>(data, 32)
        } else {
            Self::parse_class::<elf::FileHeader64<Endianness>>(data, 64)
        }
    }

    fn parse_class<H: FileHeader<Endian = Endianness>>(
        data: &'a [u8],
        bits: u8,
    ) -> Result<Self, Error> {
        let header = H::parse(data).map_err(damaged("the header"))?;
        let endian = header.endian().map_err(damaged("the header"))?;
        let sections = read_sections(header, endian, data)?;
        let (segments, dynamic) = read_segments(header, endian, data)?;
        let notes = read_notes(header, endian, data)?;
        let symbols = read_symbols::<H>(endian, &sections, elf::SHT_SYMTAB);
        let dynamic_symbols =
            read_symbols::<H>(endian, &sections, elf::SHT_DYNSYM).unwrap_or_default();
        Ok(Elf {
            data,
            endian,
            machine: header.e_machine(endian),
            segments,
            sections,
            dynamic,
            notes,
            symbols,
            dynamic_symbols,
            bits,
            file_type: header.e_type(endian),
        })
    }

    pub(crate) fn architecture(&self) -> Architecture {
        let machine = match self.machine {
            elf::EM_X86_64 => "x86_64".to_owned(),
            elf::EM_AARCH64 => "aarch64".to_owned(),
            elf::EM_386 => "x86".to_owned(),
            elf::EM_ARM => "arm".to_owned(),
            elf::EM_RISCV => format!("riscv{}", self.bits),
            elf::EM_PPC64 => "powerpc64".to_owned(),
            elf::EM_S390 => "s390x".to_owned(),
            elf::EM_LOONGARCH => "loongarch64".to_owned(),
            other => format!("machine {other}"),
        };
        let byte_order = match self.endian {
            Endianness::Little => "little",
            Endianness::Big => "big",
        };
        Architecture {
            machine,
            bits: self.bits,
            byte_order,
        }
    }

    pub(crate) fn linkage(&self) -> Linkage {
        let interpreter = self
            .segments
            .iter()
            .find(|segment| segment.kind == elf::PT_INTERP)
            .map(|segment| text::printable(text::at(segment.data, 0)));
        let needed = self.dynamic_texts(elf::DT_NEEDED);
        let is_pie = self.dynamic_value(elf::DT_FLAGS_1) & elf::DF_1_PIE.0 != 0
            || interpreter.is_some() && self.dynamic_texts(elf::DT_SONAME).is_empty();
        let is_static = interpreter.is_none() && needed.is_empty();
        let kind = match self.file_type {
            elf::ET_REL => Kind::Object,
            elf::ET_CORE => Kind::Core,
            elf::ET_EXEC if is_static => Kind::Static,
            elf::ET_EXEC => Kind::Dynamic,
            elf::ET_DYN if !is_pie => Kind::SharedLibrary,
            elf::ET_DYN if is_static => Kind::StaticPie,
            elf::ET_DYN => Kind::DynamicPie,
            _ => Kind::Other,
        };
        let mut run_paths = self.dynamic_texts(elf::DT_RUNPATH);
        run_paths.extend(self.dynamic_texts(elf::DT_RPATH));
        Linkage {
            kind,
            interpreter,
            needed,
            run_paths,
        }
    }

    pub(crate) fn symbols_left(&self) -> SymbolsLeft {
        let debug_info = self.sections.iter().any(|section| {
            section.name.starts_with(b".debug_") || section.name.starts_with(b".zdebug_")
        });
        SymbolsLeft {
            symbol_table: self.symbols.is_some(),
            debug_info,
        }
    }

    /// Returns the texts of fast-musl's notes, each once.
    pub(crate) fn fast_musl_notes(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut seen = HashSet::new();
        self.notes
            .iter()
            .filter(|note| note.owner == NOTE_OWNER && note.kind == NOTE_TYPE)
            // A description written in C ends with a zero.
            .map(|note| text::at(note.description, 0))
            .filter(move |text| seen.insert(*text))
    }

    pub(crate) fn has_fast_musl_note(&self, wanted: &str) -> bool {
        self.fast_musl_notes().any(|note| note == wanted.as_bytes())
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections
            .iter()
            .find(|section| section.name == name.as_bytes())
    }

    /// Returns the executable parts of the file, each once even if several segments map it.
    pub(crate) fn code(&self) -> Vec<&'a [u8]> {
        let mut ranges: Vec<(usize, usize)> = if self.segments.is_empty() {
            self.sections
                .iter()
                .filter(|section| section.flags & elf::SHF_EXECINSTR.0 != 0)
                .map(|section| (section.offset, section.offset + section.data.len()))
                .collect()
        } else {
            self.segments
                .iter()
                .filter(|segment| segment.kind == elf::PT_LOAD && segment.is_executable())
                .map(|segment| (segment.offset, segment.offset + segment.data.len()))
                .collect()
        };
        ranges.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (start, end) in ranges {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged
            .into_iter()
            .filter_map(|(start, end)| self.data.get(start..end))
            .collect()
    }

    /// Returns the bytes in memory from `address` on, to the end of their segment's file data.
    pub(crate) fn at(&self, address: u64) -> Option<&'a [u8]> {
        self.segments
            .iter()
            .filter(|segment| segment.kind == elf::PT_LOAD)
            .find_map(|segment| {
                let inside = usize::try_from(address.checked_sub(segment.address)?).ok()?;
                segment.data.get(inside..).filter(|rest| !rest.is_empty())
            })
    }

    /// Returns the pointer stored at `address`: from the file, or from the relocation of that
    /// address. For 64-bit files only.
    pub(crate) fn pointer(&self, address: u64) -> Option<u64> {
        let there = self.endian.read_u64(*self.at(address)?.first_chunk()?);
        if there != 0 {
            return Some(there);
        }
        let size = usize::try_from(self.dynamic_value(elf::DT_RELASZ)).ok()?;
        let table = self.at(self.dynamic_value(elf::DT_RELA))?;
        let entries = &table[..table.len().min(size)];
        // Each entry has the address, the kind, and the addend for the load address.
        entries.as_chunks::<24>().0.iter().find_map(|entry| {
            let (place, rest) = entry.split_first_chunk()?;
            let addend = rest.last_chunk()?;
            (self.endian.read_u64(*place) == address).then(|| self.endian.read_u64(*addend))
        })
    }

    /// Returns whether this text is anywhere in the file.
    pub(crate) fn contains(&self, wanted: &[u8]) -> bool {
        memmem::find(self.data, wanted).is_some()
    }

    /// Returns the value of the first dynamic entry of this kind, or 0 if there is none.
    pub(crate) fn dynamic_value(&self, tag: elf::DynamicTag) -> u64 {
        self.dynamic
            .iter()
            .find(|entry| entry.0 == tag)
            .map_or(0, |entry| entry.1)
    }

    pub(crate) fn has_dynamic(&self, tag: elf::DynamicTag) -> bool {
        self.dynamic.iter().any(|entry| entry.0 == tag)
    }

    /// Returns the strings that dynamic entries, symbols and versions of a dynamic file refer to.
    pub(crate) fn dynamic_strings(&self) -> &'a [u8] {
        let size = usize::try_from(self.dynamic_value(elf::DT_STRSZ)).unwrap_or(usize::MAX);
        let rest = self
            .at(self.dynamic_value(elf::DT_STRTAB))
            .unwrap_or_default();
        &rest[..rest.len().min(size)]
    }

    fn dynamic_texts(&self, tag: elf::DynamicTag) -> Vec<String> {
        let strings = self.dynamic_strings();
        self.dynamic
            .iter()
            .filter(|entry| entry.0 == tag)
            .take(MOST_NAMES)
            .map(|entry| text::printable(text::at(strings, entry.1)))
            .collect()
    }

    /// Returns the definition of this name, from the symbol table or, without one, from the
    /// exported names.
    pub(crate) fn defined(&self, name: &str) -> Option<Symbol<'a>> {
        self.all_symbols()
            .find(|symbol| symbol.is_defined && symbol.name == name.as_bytes())
            .copied()
    }

    /// Returns whether the dynamic linker looks this name up in other files.
    pub(crate) fn imports(&self, name: &str) -> bool {
        self.dynamic_symbols
            .iter()
            .any(|symbol| !symbol.is_defined && symbol.name == name.as_bytes())
    }

    pub(crate) fn all_symbols(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.symbols
            .iter()
            .flatten()
            .chain(self.dynamic_symbols.iter())
    }
}

fn read_segments<'a, H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    data: &'a [u8],
) -> Result<(Vec<Segment<'a>>, Dynamic), Error> {
    let headers = header
        .program_headers(endian, data)
        .map_err(damaged("the program header table"))?;
    let mut segments = Vec::with_capacity(headers.len());
    let mut dynamic = Vec::new();
    for header in headers {
        let content = header.data(endian, data).map_err(|()| Error::Damaged {
            part: "a segment",
            reason: "it ends beyond the end of the file".to_owned(),
        })?;
        if dynamic.is_empty()
            && let Some(entries) = header
                .dynamic(endian, data)
                .map_err(damaged("the dynamic segment"))?
        {
            dynamic = entries
                .iter()
                .map(|entry| (entry.tag(endian), entry.val(endian)))
                .take_while(|(tag, _)| *tag != elf::DT_NULL)
                .collect();
        }
        segments.push(Segment {
            kind: header.p_type(endian),
            flags: header.p_flags(endian).0,
            address: header.p_vaddr(endian).into(),
            offset: place(header.p_offset(endian), content),
            data: content,
        });
    }
    Ok((segments, dynamic))
}

fn read_sections<'a, H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    data: &'a [u8],
) -> Result<Vec<Section<'a>>, Error> {
    let headers = header
        .section_headers(endian, data)
        .map_err(damaged("the section header table"))?;
    let names: &[u8] = match header.section_strings_index(endian, data) {
        Ok(index) if !headers.is_empty() => headers
            .get(index.0)
            .and_then(|section| section.data(endian, data).ok())
            .unwrap_or_default(),
        _ => &[],
    };
    headers
        .iter()
        .map(|section| {
            let content = section.data(endian, data).map_err(damaged("a section"))?;
            Ok(Section {
                name: text::at(names, section.sh_name(endian).into()),
                data: content,
                kind: section.sh_type(endian),
                flags: section.sh_flags(endian).0,
                link: section.link(endian).0,
                offset: place(section.sh_offset(endian), content),
            })
        })
        .collect()
}

/// An offset whose data could be read fits in `usize`; the offset of an empty part is unused.
fn place(offset: impl Into<u64>, part: &[u8]) -> usize {
    if part.is_empty() {
        return 0;
    }
    usize::try_from(offset.into()).unwrap_or_default()
}

/// Reads the notes of the segments, which a stripped file also has, and of the sections. A
/// malformed note ends its segment or section.
fn read_notes<'a, H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    data: &'a [u8],
) -> Result<Vec<Note<'a>>, Error> {
    let segments = header
        .program_headers(endian, data)
        .map_err(damaged("the program header table"))?;
    let sections = header
        .section_headers(endian, data)
        .map_err(damaged("the section header table"))?;
    let of_segments = segments
        .iter()
        .filter_map(|segment| segment.notes(endian, data).ok().flatten());
    let of_sections = sections
        .iter()
        .filter_map(|section| section.notes(endian, data).ok().flatten());
    Ok(of_segments
        .chain(of_sections)
        .flat_map(|notes: NoteIterator<'a, H>| notes.map_while(Result::ok))
        .take(MOST_NOTES)
        .map(|note| Note {
            owner: note.name(),
            kind: note.n_type(endian).0,
            description: note.desc(),
        })
        .collect())
}

/// Reads the first symbol table of this kind. A table of the wrong size counts as empty.
fn read_symbols<'a, H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    sections: &[Section<'a>],
    kind: elf::SectionType,
) -> Option<Vec<Symbol<'a>>> {
    let table = sections.iter().find(|section| section.kind == kind)?;
    let strings = sections
        .get(table.link)
        .map(|section| section.data)
        .unwrap_or_default();
    let entries: &[H::Sym] = object::pod::slice_from_all_bytes(table.data).unwrap_or_default();
    Some(
        entries
            .iter()
            .map(|symbol| Symbol {
                name: text::at(strings, symbol.st_name(endian).into()),
                address: symbol.st_value(endian).into(),
                is_defined: !symbol.is_undefined(endian),
                is_indirect: symbol.st_type() == elf::STT_GNU_IFUNC,
            })
            .filter(|symbol| !symbol.name.is_empty())
            .collect(),
    )
}
