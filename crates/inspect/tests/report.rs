//! Reports of files made for these tests, one property at a time.

mod common;

use common::{Made, R, RWX, musl_code, note, told};
use inspect::expect::Requirement;
use inspect::report::{Allocator, CLibrary, Dependencies, Kind, Owner, Relro, Report, SymbolsLeft};
use object::elf;

/// Returns how the report fails this requirement; nothing if it is met.
fn unmet(report: &Report, requirement: &str) -> Option<String> {
    let requirement: Requirement = requirement.parse().expect("a requirement");
    requirement.unmet(report).map(|unmet| unmet.to_string())
}

#[track_caller]
fn meets(report: &Report, requirement: &str) {
    assert_eq!(unmet(report, requirement), None);
}

/// Asserts that the report fails the requirement and says `what` it found.
#[track_caller]
fn fails(report: &Report, requirement: &str, what: &str) {
    let line = unmet(report, requirement).expect("the requirement is not met");
    assert!(
        line.contains(&format!("expected {requirement}, but ")),
        "{line}"
    );
    assert!(line.contains(what), "{line}");
    assert!(line.contains("usual cause: "), "{line}");
}

fn owner(report: &Report, routine: &str) -> Option<Owner> {
    let routine = report
        .routines
        .iter()
        .find(|one| one.name == routine)
        .expect("the routine is told of");
    routine.owner.as_ref().map(|told| told.what)
}

fn malloc(report: &Report) -> Option<Allocator> {
    report.malloc.answers.as_ref().map(|told| told.what.clone())
}

#[test]
fn a_good_static_program_meets_what_is_told_by_its_headers() {
    let report = told(Made::good(&[0xc3]));
    assert_eq!(report.linkage.kind, Kind::StaticPie);
    for requirement in [
        "static",
        "pie",
        "nx",
        "relro",
        "stripped",
        "no-store-paths",
        "no-build-paths",
        "architecture=x86_64",
    ] {
        meets(&report, requirement);
    }
    fails(&report, "architecture=aarch64", "it is for x86_64");
    fails(&report, "malloc=jemalloc", "no known allocator");
    fails(
        &report,
        "routines=fast-musl",
        "no note of fast-musl for memory, strings, getrandom",
    );
}

#[test]
fn a_dynamic_linker_or_a_needed_library_is_not_static() {
    let mut made = Made::good(&[0xc3]);
    made.segment(elf::PT_INTERP, R, b"/lib64/ld-linux-x86-64.so.2\0");
    let report = told(made);
    assert_eq!(report.linkage.kind, Kind::DynamicPie);
    fails(
        &report,
        "static",
        "it needs the dynamic linker /lib64/ld-linux-x86-64.so.2",
    );
    assert_eq!(
        report.libc.name.as_ref().map(|told| told.what),
        Some(CLibrary::Glibc)
    );

    let mut made = Made::good(&[0xc3]);
    made.dynamic_text(elf::DT_NEEDED, "libz.so.1");
    made.dynamic_text(elf::DT_NEEDED, "libc.so.6");
    made.dynamic_text(elf::DT_RUNPATH, "$ORIGIN/lib");
    let report = told(made);
    fails(&report, "static", "it needs libz.so.1, libc.so.6");
    assert_eq!(report.linkage.run_paths, ["$ORIGIN/lib"]);
}

#[test]
fn libraries_and_object_files_are_no_static_programs() {
    let report = told(Made::new(elf::ET_REL, elf::EM_X86_64));
    assert_eq!(report.linkage.kind, Kind::Object);
    fails(&report, "static", "it is an object file");

    let mut made = Made::new(elf::ET_DYN, elf::EM_X86_64);
    made.dynamic_text(elf::DT_SONAME, "libx.so");
    let report = told(made);
    assert_eq!(report.linkage.kind, Kind::SharedLibrary);
    fails(&report, "static", "it is a shared library");
    fails(&report, "pie", "it is a shared library");
}

#[test]
fn a_program_at_a_fixed_address_is_no_pie() {
    let report = told(Made::new(elf::ET_EXEC, elf::EM_X86_64));
    assert_eq!(report.linkage.kind, Kind::Static);
    fails(&report, "pie", "it is a static program");
}

#[test]
fn executable_stacks_and_data_are_seen() {
    let mut made = Made::new(elf::ET_EXEC, elf::EM_X86_64);
    made.segment(elf::PT_GNU_STACK, RWX, &[]);
    fails(&told(made), "nx", "requests an executable stack");

    let made = Made::new(elf::ET_EXEC, elf::EM_X86_64);
    fails(&told(made), "nx", "no PT_GNU_STACK");

    let mut made = Made::good(&[0xc3]);
    made.segment(elf::PT_LOAD, RWX, &[0; 16]);
    fails(&told(made), "nx", "is writable and executable");
}

#[test]
fn relro_is_full_unless_binding_is_lazy() {
    let mut made = Made::new(elf::ET_EXEC, elf::EM_X86_64);
    made.code(&[0xc3]);
    let report = told(made);
    assert_eq!(report.hardening.relro, Relro::None);
    fails(&report, "relro", "no PT_GNU_RELRO");

    let lazy = || {
        let mut made = Made::good(&[0xc3]);
        made.dynamic(elf::DT_JMPREL, 0x1000);
        made.dynamic(elf::DT_PLTRELSZ, 24);
        made
    };
    let report = told(lazy());
    assert_eq!(report.hardening.relro, Relro::Partial);
    meets(&report, "relro");
    for (tag, value) in [(elf::DT_BIND_NOW, 0), (elf::DT_FLAGS, elf::DF_BIND_NOW.0)] {
        let mut made = lazy();
        made.dynamic(tag, value);
        assert_eq!(told(made).hardening.relro, Relro::Full);
    }
}

#[test]
fn symbol_tables_and_debug_information_are_not_stripped() {
    let mut made = Made::good(&[0xc3]);
    made.symbols(elf::SHT_SYMTAB, &[("main", 0, true)]);
    fails(&told(made), "stripped", "it has a symbol table;");

    let mut made = Made::good(&[0xc3]);
    made.section(".debug_line", elf::SHT_PROGBITS, 0, &[0]);
    let report = told(made);
    fails(&report, "stripped", "it has debug information;");
    assert_eq!(
        report.symbols,
        SymbolsLeft {
            symbol_table: false,
            debug_info: true
        }
    );
    // A stripped file keeps imported and exported names.
    let mut made = Made::good(&[0xc3]);
    made.symbols(elf::SHT_DYNSYM, &[("main", 0, true)]);
    meets(&told(made), "stripped");
}

#[test]
fn paths_are_found_wherever_they_are() {
    let store = b"x/nix/store/ckk7h0wpkrg1pfxxk668dyjcdk4j9f6d-glibc-2.41/lib\0";
    let mut made = Made::good(&[0xc3]);
    // In no segment and no section.
    made.data(store);
    let report = told(made);
    fails(
        &report,
        "no-store-paths",
        "it contains 1 path: /nix/store/ckk7h0wpkrg1pfxxk668dyjcdk4j9f6d-glibc-2.41/lib;",
    );
    meets(&report, "no-build-paths");

    let mut made = Made::good(&[0xc3]);
    made.segment(elf::PT_LOAD, R, b"\0/build/source/src/main.rs\0");
    let report = told(made);
    fails(
        &report,
        "no-build-paths",
        "it contains 1 path: /build/source/src/main.rs;",
    );
    meets(&report, "no-store-paths");
}

#[test]
fn notes_of_fast_musl_tell_malloc_and_the_routines() {
    let noted = |parts: &[&str], code: &[u8]| {
        let mut made = Made::good(code);
        for part in parts {
            made.note(part);
        }
        told(made)
    };
    let all = ["memory", "strings", "getrandom", "malloc=jemalloc"];
    let report = noted(&all, &[0xc3]);
    meets(&report, "routines=fast-musl");
    meets(&report, "malloc=jemalloc");
    fails(
        &report,
        "malloc=musl",
        "malloc is jemalloc (a note of fast-musl)",
    );
    assert_eq!(report.notes, all);

    let report = noted(&["memory", "getrandom", "malloc=mimalloc"], &[0xc3]);
    fails(
        &report,
        "routines=fast-musl",
        "note of fast-musl for strings;",
    );
    meets(&report, "malloc=mimalloc");
    assert_eq!(owner(&report, "memcpy"), Some(Owner::FastMusl));
    assert_eq!(owner(&report, "strlen"), None);

    for routine in ["memcpy", "memmove", "memset", "strlen", "getrandom"] {
        let code = musl_code(routine, elf::EM_X86_64, "1.2.5");
        let report = noted(&all, &code);
        assert_eq!(owner(&report, routine), Some(Owner::FastMuslAndMusl));
        fails(
            &report,
            "routines=fast-musl",
            &format!("it also contains stock musl's {routine}"),
        );
    }
}

#[test]
fn notes_are_read_in_sections_and_others_notes_are_not() {
    let mut made = Made::good(&[0xc3]);
    let both = [
        note(b"fast-musl\0", 1, b"memory"),
        note(b"fast-musl\0", 1, b"strings\0"),
        note(b"fast-musl\0", 1, b"memory"),
        note(b"fast-musl\0", 2, b"getrandom"),
        note(b"fast-musl2\0", 1, b"math"),
    ]
    .concat();
    made.section(".note.fast-musl", elf::SHT_NOTE, 0, &both);
    assert_eq!(told(made).notes, ["memory", "strings"]);
}

#[test]
fn musls_code_tells_a_stripped_program() {
    for (machine, version) in [
        (elf::EM_X86_64, "1.2.3"),
        (elf::EM_X86_64, "1.2.5"),
        (elf::EM_AARCH64, "1.2.5"),
    ] {
        let mut made = Made::new(elf::ET_EXEC, machine);
        // Two adjacent segments, with code that does not start at their beginning.
        made.code(&[0; 24]);
        let mut code = vec![0; 7];
        for routine in [
            "memcpy",
            "memset",
            "memmove",
            "strlen",
            "getrandom",
            "malloc",
        ] {
            code.extend_from_slice(&musl_code(routine, machine, version));
            code.push(0);
        }
        made.code(&code);
        let report = told(made);
        for routine in ["memcpy", "memmove", "memset", "strlen", "getrandom"] {
            assert_eq!(
                owner(&report, routine),
                Some(Owner::Musl),
                "{machine} {version}"
            );
        }
        assert_eq!(malloc(&report), Some(Allocator::Musl));
        meets(&report, "malloc=musl");
        assert_eq!(
            report.libc.name.as_ref().map(|told| told.what),
            Some(CLibrary::Musl)
        );
        let told_version = report.libc.version.expect("the version is told").what;
        assert_eq!(told_version, version);
    }
}

#[test]
fn code_that_is_not_executable_is_data() {
    let mut made = Made::good(&[0xc3]);
    made.segment(
        elf::PT_LOAD,
        R,
        &musl_code("memcpy", elf::EM_X86_64, "1.2.5"),
    );
    let report = told(made);
    assert_eq!(owner(&report, "memcpy"), None);
    assert_eq!(report.libc.name, None);
}

#[test]
fn one_changed_byte_is_no_longer_musls_code() {
    let mut code = musl_code("memcpy", elf::EM_X86_64, "1.2.5");
    code[20] ^= 1;
    assert_eq!(owner(&told(Made::good(&code)), "memcpy"), None);
}

#[test]
fn a_linked_allocator_need_not_be_malloc() {
    let mut code = musl_code("malloc", elf::EM_X86_64, "1.2.5");
    let mut made = Made::good(&code);
    made.segment(elf::PT_LOAD, R, b"\0<jemalloc>: Error in munmap(): %s\n\0");
    let report = told(made);
    assert_eq!(malloc(&report), None);
    fails(
        &report,
        "malloc=jemalloc",
        "no note or symbol shows which defines",
    );
    fails(
        &report,
        "malloc=musl",
        "no note or symbol shows which defines",
    );

    // A single linked allocator is `malloc`.
    code.clear();
    let mut made = Made::good(&[0xc3]);
    made.segment(elf::PT_LOAD, R, b"\0mimalloc: warning: \0");
    meets(&told(made), "malloc=mimalloc");
}

#[test]
fn the_table_of_sizes_tells_musls_malloc_of_another_compiler() {
    let mut made = Made::good(&[0xc3]);
    made.segment(elf::PT_LOAD, R, &inspect::signatures::size_classes());
    meets(&told(made), "malloc=musl");
}

#[test]
fn symbols_tell_who_answers_malloc() {
    // malloc is another name of musl's function, and jumps to jemalloc's.
    let with = |machine: elf::Machine, code: &[u8], symbols: &[(&str, usize)]| {
        let mut made = Made::new(elf::ET_EXEC, machine);
        let at = made.code(code);
        let symbols: Vec<(&str, usize, bool)> = symbols
            .iter()
            .map(|(name, offset)| (*name, at + offset, true))
            .collect();
        made.symbols(elf::SHT_SYMTAB, &symbols);
        told(made)
    };
    let names = [
        ("malloc", 0),
        ("default_malloc", 0),
        ("_rjem_malloc", 16),
        ("__libc_malloc_impl", 32),
    ];
    let report = with(elf::EM_X86_64, &[0; 48], &names);
    meets(&report, "malloc=musl");
    fails(
        &report,
        "malloc=jemalloc",
        "symbol malloc is default_malloc",
    );

    let names = [("malloc", 0), ("default_malloc", 40), names[2], names[3]];
    let mut code = [0; 48];
    code[..5].copy_from_slice(&[0xe9, 11, 0, 0, 0]);
    let report = with(elf::EM_X86_64, &code, &names);
    meets(&report, "malloc=jemalloc");
    fails(
        &report,
        "malloc=musl",
        "symbol malloc jumps to _rjem_malloc",
    );
    // After a landing pad for indirect calls.
    code[..9].copy_from_slice(&[0xf3, 0x0f, 0x1e, 0xfa, 0xe9, 7, 0, 0, 0]);
    meets(&with(elf::EM_X86_64, &code, &names), "malloc=jemalloc");
    // Through a pointer in the file, and through one that is filled in at program start.
    let at_pointer = 24u8;
    for in_file in [true, false] {
        let mut made = Made::new(elf::ET_DYN, elf::EM_X86_64);
        made.dynamic(elf::DT_FLAGS_1, elf::DF_1_PIE.0);
        let mut code = [0; 48];
        code[..6].copy_from_slice(&[0xff, 0x25, at_pointer - 6, 0, 0, 0]);
        let start = made.next();
        let target = (start as u64 + 16).to_le_bytes();
        if in_file {
            code[usize::from(at_pointer)..][..8].copy_from_slice(&target);
        }
        assert_eq!(made.code(&code), start);
        let place = (start as u64 + u64::from(at_pointer)).to_le_bytes();
        let relocations = [
            [0; 24],
            [place, 8u64.to_le_bytes(), target]
                .concat()
                .try_into()
                .expect("24 bytes"),
        ]
        .concat();
        let at = made.segment(elf::PT_LOAD, R, &relocations);
        made.dynamic(elf::DT_RELA, at as u64);
        made.dynamic(elf::DT_RELASZ, 48);
        made.symbols(
            elf::SHT_SYMTAB,
            &[
                ("malloc", start, true),
                ("_rjem_malloc", start + 16, true),
                ("__libc_malloc_impl", start + 32, true),
            ],
        );
        meets(&told(made), "malloc=jemalloc");
    }
    // Four instructions forward, and backwards.
    let code = [0x1400_0004u32.to_le_bytes(), [0; 4]].concat().repeat(6);
    meets(&with(elf::EM_AARCH64, &code, &names), "malloc=jemalloc");
    let names = [("mi_malloc", 0), ("malloc", 16)];
    let code = [0x17ff_fffcu32.to_le_bytes(); 12].concat();
    meets(&with(elf::EM_AARCH64, &code, &names), "malloc=mimalloc");
}

#[test]
fn a_note_that_the_symbols_deny_is_not_believed() {
    let mut made = Made::good(&[0xc3]);
    let at = made.code(&[0xc3]);
    made.note("malloc=jemalloc");
    made.symbols(
        elf::SHT_SYMTAB,
        &[("malloc", at, true), ("default_malloc", at, true)],
    );
    let report = told(made);
    meets(&report, "malloc=musl");
    fails(
        &report,
        "malloc=jemalloc",
        "symbol malloc is default_malloc, though a note of fast-musl says jemalloc",
    );
}

#[test]
fn the_code_at_a_symbol_tells_whose_it_is() {
    let with = |code: &[u8]| {
        let mut made = Made::new(elf::ET_EXEC, elf::EM_X86_64);
        let at = made.code(code);
        made.symbols(elf::SHT_SYMTAB, &[("memset", at, true)]);
        told(made)
    };
    let musl = musl_code("memset", elf::EM_X86_64, "1.2.5");
    assert_eq!(owner(&with(&musl), "memset"), Some(Owner::Musl));
    assert_eq!(owner(&with(&[0xc3]), "memset"), Some(Owner::Own));
}

#[test]
fn a_dynamic_file_has_malloc_from_the_first_library_that_has_it() {
    let with = |needed: &[&str]| {
        let mut made = Made::good(&[0xc3]);
        for name in needed {
            made.dynamic_text(elf::DT_NEEDED, name);
        }
        made.symbols(
            elf::SHT_DYNSYM,
            &[
                ("malloc", 0, false),
                ("memcpy", 0, false),
                ("__stack_chk_fail", 0, false),
            ],
        );
        told(made)
    };
    let report = with(&["libc.so.6"]);
    meets(&report, "malloc=glibc");
    assert_eq!(owner(&report, "memcpy"), Some(Owner::SharedLibrary));
    assert_eq!(owner(&report, "memset"), Some(Owner::NotCalled));
    assert!(report.hardening.stack_protector.expect("told").what);
    meets(&with(&["libjemalloc.so.2", "libc.so.6"]), "malloc=jemalloc");
    meets(&with(&["libc.musl-x86_64.so.1"]), "malloc=musl");
}

#[test]
fn the_least_glibc_is_told() {
    let mut made = Made::good(&[0xc3]);
    made.dynamic_text(elf::DT_NEEDED, "libc.so.6");
    // Where versions are named.
    for version in [
        "GLIBC_2.4",
        "GLIBC_2.34",
        "GLIBC_2.9",
        "GLIBC_PRIVATE",
        "GLIBCXX_3.4.30",
    ] {
        made.dynamic_text(elf::DT_RUNPATH, version);
    }
    let version = told(made).libc.version.expect("the version is told").what;
    assert_eq!(version, "2.34 or newer");
}

#[test]
fn compilers_and_linker_are_told_once() {
    let mut made = Made::good(&[0xc3]);
    made.section(
        ".comment",
        elf::SHT_PROGBITS,
        0,
        b"\0GCC: 14\0Linker: LLD 22\0rustc version 1.95.0 (x)\0GCC: 14\0",
    );
    let origin = told(made).origin;
    assert_eq!(origin.compilers, ["GCC: 14", "rustc version 1.95.0 (x)"]);
    assert_eq!(origin.linker.as_deref(), Some("LLD 22"));
}

#[test]
fn checks_of_the_canary_are_seen_in_code() {
    // sub %fs:0x28,%rax
    let check = [0x64, 0x48, 0x2b, 0x04, 0x25, 0x28, 0, 0, 0];
    let report = told(Made::good(&check));
    assert!(report.hardening.stack_protector.expect("told").what);
    // mov %fs:0x28,%rax: reads the canary without checking it.
    let read = [0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0];
    assert_eq!(told(Made::good(&read)).hardening.stack_protector, None);
    assert_eq!(
        told(Made::good(&check[1..])).hardening.stack_protector,
        None
    );
}

#[test]
fn checks_of_jumps_are_told_by_their_note() {
    let property = |kind: u32, value: u32| {
        [
            kind.to_le_bytes(),
            4u32.to_le_bytes(),
            value.to_le_bytes(),
            [0; 4],
        ]
        .concat()
    };
    let with = |machine, kind, value| {
        let mut made = Made::new(elf::ET_EXEC, machine);
        // The wanted property is the second.
        let description = [property(0xc001_0001, 9), property(kind, value)].concat();
        let note = note(b"GNU\0", elf::NT_GNU_PROPERTY_TYPE_0.0, &description);
        made.segment(elf::PT_NOTE, R, &note);
        told(made).hardening.control_flow
    };
    assert_eq!(
        with(elf::EM_X86_64, 0xc000_0002, 3),
        ["CET IBT", "CET SHSTK"]
    );
    assert_eq!(with(elf::EM_X86_64, 0xc000_0002, 2), ["CET SHSTK"]);
    assert_eq!(with(elf::EM_AARCH64, 0xc000_0000, 1), ["BTI"]);
    assert!(with(elf::EM_AARCH64, 0xc000_0002, 1).is_empty());
}

fn with_list(json: &[u8]) -> Dependencies {
    let mut made = Made::good(&[0xc3]);
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(json, 7);
    made.section(".dep-v0", elf::SHT_PROGBITS, 0, &packed);
    told(made).dependencies
}

#[test]
fn the_embedded_list_of_crates_is_read() {
    let list = with_list(
        br#"{"packages":[
            {"name":"cc","version":"1.2.0","source":"registry","kind":"build"},
            {"name":"program","version":"0.1.0","source":"local","dependencies":[0],"root":true}
        ]}"#,
    );
    let Dependencies::Crates(crates) = &list else {
        panic!("{list:?}");
    };
    assert_eq!(crates.len(), 2);
    assert_eq!(
        (crates[0].name.as_str(), crates[0].build_only),
        ("cc", true)
    );
    assert_eq!(
        (crates[1].version.as_str(), crates[1].root),
        ("0.1.0", true)
    );
    assert!(
        list.to_string()
            .contains("2 crates, those of program 0.1.0")
    );
    assert_eq!(told(Made::good(&[0xc3])).dependencies, Dependencies::None);
}

#[test]
fn a_list_that_is_broken_or_unpacks_without_end_is_said_to_be() {
    let whole = br#"{"packages":[{"name":"a","version":"0.1.0","source":"local","root":true}]}"#;
    assert!(matches!(with_list(whole), Dependencies::Crates(_)));
    let endless = [&whole[..], &vec![b' '; 16 << 20]].concat();
    for json in [&b"{}"[..], &whole[1..], &endless] {
        let list = with_list(json);
        assert!(matches!(list, Dependencies::Unreadable(_)), "{list:?}");
    }
}

#[test]
fn files_of_32_bits_and_of_the_other_byte_order_are_read() {
    // Only a header: an object file for s390x, and one for arm.
    let mut header = vec![0x7f, b'E', b'L', b'F', 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend_from_slice(&[0, 1, 0, 22]);
    header.resize(64, 0);
    let report = inspect::inspect(&header).expect("a report");
    assert_eq!(report.architecture.machine, "s390x");
    assert_eq!(report.architecture.byte_order, "big");

    let mut header = vec![0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend_from_slice(&[2, 0, 40, 0]);
    header.resize(52, 0);
    let report = inspect::inspect(&header).expect("a report");
    assert_eq!(report.architecture.machine, "arm");
    assert_eq!(report.architecture.bits, 32);
}
