//! The signatures match the toolchain's own musl, and programs linked with it are identified.
//!
//! Targets that the toolchain does not have are skipped, with a printed line.

mod common;

use std::collections::HashSet;
use std::path::Path;

use common::{host_program, installed, musl_program};
use inspect::report::{Allocator, CLibrary, Kind, Owner, Report};
use inspect::signatures::{self, Signature};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, elf};

/// Returns the `libc.a` that rustc links for a target, if that target is installed.
fn libc(target: &str) -> Option<Vec<u8>> {
    let path = installed(target)?.join("self-contained/libc.a");
    Some(std::fs::read(path).expect("libc.a is read"))
}

/// Returns the member of the archive that defines `symbol`: two members are named `free.lo`.
fn member<'a>(archive: &'a [u8], name: &str, symbol: &str) -> object::File<'a> {
    let members = ArchiveFile::parse(archive).expect("an archive");
    members
        .members()
        .map(|member| member.expect("a member"))
        .filter(|member| member.name() == name.as_bytes())
        .map(|member| object::File::parse(member.data(archive).expect("data")).expect("an object"))
        .find(|file| {
            file.symbols()
                .any(|one| one.is_definition() && one.name() == Ok(symbol))
        })
        .unwrap_or_else(|| panic!("no member {name} defines {symbol}"))
}

/// Returns at most `length` bytes of a function from `offset` on, with `None` where the linker
/// writes.
fn code(file: &object::File, name: &str, offset: usize, length: usize) -> Vec<Option<u8>> {
    let symbol = file
        .symbols()
        .find(|one| one.is_definition() && one.name() == Ok(name))
        .expect("the symbol");
    let section = file
        .section_by_index(symbol.section_index().expect("a section"))
        .expect("the section");
    let mut bytes: Vec<Option<u8>> = section
        .data()
        .expect("data")
        .iter()
        .copied()
        .map(Some)
        .collect();
    for (at, relocation) in section.relocations() {
        assert!(matches!(relocation.target(), RelocationTarget::Symbol(_)));
        let at = usize::try_from(at).expect("within the section");
        // 32 bits each, which is one whole instruction on aarch64.
        bytes[at..at + 4].fill(None);
    }
    let start = usize::try_from(symbol.address()).expect("within the section") + offset;
    let end = bytes.len().min(start + length);
    bytes[start..end].to_vec()
}

fn hexadecimal(code: &[Option<u8>]) -> String {
    code.iter()
        .map(|byte| byte.map_or("??".to_owned(), |byte| format!("{byte:02x}")))
        .collect()
}

/// Returns the text of musl's `version.o`.
fn version(archive: &[u8]) -> String {
    let file = member(archive, "version.lo", "__libc_version");
    let sections = file.sections();
    sections
        .filter_map(|section| section.data().ok())
        .filter_map(|data| str::from_utf8(data.strip_suffix(b"\0")?).ok())
        .find(|text| text.starts_with("1."))
        .expect("a version")
        .to_owned()
}

fn signatures_are_those_of(target: &str, machine: elf::Machine) {
    let Some(archive) = libc(target) else {
        return;
    };
    let version = version(&archive);
    let ours: Vec<&Signature> = signatures::all()
        .iter()
        .filter(|one| one.machine == machine && one.versions.contains(&version.as_str()))
        .collect();
    let routines: HashSet<&str> = ours.iter().map(|one| one.routine).collect();
    assert_eq!(
        routines.len(),
        6,
        "rustc ships musl {version} for {target}, and not every signature of it is known"
    );
    for signature in ours {
        let file = member(&archive, signature.member, signature.symbol);
        let wanted = signature.pattern();
        let found = code(&file, signature.symbol, signature.offset, wanted.len());
        assert!(
            wanted == found,
            "{} of musl {version} for {target} is now\n{}",
            signature.symbol,
            hexadecimal(&found)
        );
    }
    let file = member(&archive, "malloc.lo", "__libc_malloc_impl");
    let table = signatures::size_classes();
    let mut sections = file.sections();
    assert!(
        sections.any(|section| section.data().is_ok_and(|data| data == table)),
        "the table of sizes is another"
    );
}

#[test]
fn signatures_are_those_of_the_toolchain_for_x86_64() {
    signatures_are_those_of("x86_64-unknown-linux-musl", elf::EM_X86_64);
}

#[test]
fn signatures_are_those_of_the_toolchain_for_aarch64() {
    signatures_are_those_of("aarch64-unknown-linux-musl", elf::EM_AARCH64);
}

fn told(program: &Path) -> Report {
    let data = std::fs::read(program).expect("the program is read");
    inspect::inspect(&data).expect("a report")
}

fn owners(report: &Report) -> Vec<(&str, Option<Owner>)> {
    report
        .routines
        .iter()
        .map(|one| (one.name, one.owner.as_ref().map(|told| told.what)))
        .collect()
}

fn a_program_with_stock_musl_is_known(target: &str) {
    for (strip, by) in [(false, "symbol"), (true, "code")] {
        let Some(program) = musl_program(target, strip) else {
            return;
        };
        let report = told(&program);
        assert_eq!(report.notes, ["sort"]);
        // rustc links at any address for x86_64, at a fixed address for aarch64.
        assert!(report.linkage.kind.is_static(), "{report}");
        assert_eq!(report.symbols.stripped(), strip);
        let libc = report.libc.name.as_ref().expect("the C library is told");
        assert_eq!(libc.what, CLibrary::Musl);
        assert!(report.libc.version.is_some(), "{report}");
        let malloc = report.malloc.answers.as_ref().expect("malloc is told");
        assert_eq!(malloc.what, Allocator::Musl);
        assert!(malloc.by.contains(by), "{malloc}");
        for (name, owner) in owners(&report) {
            // A program as small as this may not call all of them.
            if ["memcpy", "memmove", "memset", "strlen"].contains(&name) {
                assert_eq!(owner, Some(Owner::Musl), "{name}: {report}");
            }
        }
    }
}

#[test]
fn a_program_with_stock_musl_is_known_for_x86_64() {
    a_program_with_stock_musl_is_known("x86_64-unknown-linux-musl");
}

#[test]
fn a_program_with_stock_musl_is_known_for_aarch64() {
    a_program_with_stock_musl_is_known("aarch64-unknown-linux-musl");
}

#[test]
fn a_program_for_this_machine_is_known() {
    let report = told(host_program());
    assert_eq!(report.notes, ["sort"]);
    assert_eq!(report.architecture.machine, std::env::consts::ARCH);
    assert!(report.symbols.stripped(), "{report}");
    assert!(
        report
            .origin
            .compilers
            .iter()
            .any(|name| name.starts_with("rustc version")),
        "{report}"
    );
    if cfg!(target_env = "gnu") {
        assert_eq!(report.linkage.kind, Kind::DynamicPie);
        let malloc = report.malloc.answers.as_ref().expect("malloc is told");
        assert_eq!(malloc.what, Allocator::Glibc);
        let version = report.libc.version.as_ref().expect("the version is told");
        assert!(version.what.starts_with("2."), "{version}");
        assert!(
            owners(&report).contains(&("memcpy", Some(Owner::SharedLibrary))),
            "{report}"
        );
    }
}

#[test]
fn this_program_does_not_find_what_it_searches_for_in_itself() {
    let report = told(Path::new(env!("CARGO_BIN_EXE_inspect")));
    let linked: Vec<&Allocator> = report.malloc.linked.iter().map(|told| &told.what).collect();
    assert!(!linked.contains(&&Allocator::Jemalloc), "{report}");
    assert!(!linked.contains(&&Allocator::Mimalloc), "{report}");
    assert_eq!(report.notes, [""; 0]);
}
