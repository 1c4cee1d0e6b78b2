//! Files damaged by accident or on purpose: each gives a report or an error, and quickly.

mod common;

use std::time::{Duration, Instant};

use common::{Made, R, host_program, musl_code, note};
use object::elf;

/// The longest time that reading may take. A pass over such a file takes milliseconds, even
/// unoptimised; one pass for each of its parts would take hours.
const SOON: Duration = Duration::from_mins(1);

/// Returns a file with every part that is read.
fn everything() -> Vec<u8> {
    let mut made = Made::good(&musl_code("memmove", elf::EM_X86_64, "1.2.5"));
    made.note("memory");
    made.segment(elf::PT_INTERP, R, b"/lib/ld-musl-x86_64.so.1\0");
    let property = [0xc000_0002u32, 4, 3, 0].map(u32::to_le_bytes).concat();
    made.segment(elf::PT_NOTE, R, &note(b"GNU\0", 5, &property));
    made.dynamic_text(elf::DT_NEEDED, "libc.so");
    made.dynamic_text(
        elf::DT_RUNPATH,
        "/nix/store/ckk7h0wpkrg1pfxxk668dyjcdk4j9f6d-x/lib",
    );
    made.symbols(elf::SHT_DYNSYM, &[("malloc", 0, false)]);
    made.symbols(
        elf::SHT_SYMTAB,
        &[("malloc", 960, true), ("main", 976, true)],
    );
    made.section(".comment", elf::SHT_PROGBITS, 0, b"rustc version 1.95.0\0");
    let list = br#"{"packages":[{"name":"a","version":"0.1.0","source":"local","root":true}]}"#;
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(list, 7);
    made.section(".dep-v0", elf::SHT_PROGBITS, 0, &packed);
    made.finish()
}

/// Parses the data and prints the result, which must not fail either.
fn survives(data: &[u8]) -> bool {
    match inspect::inspect(data) {
        Ok(report) => {
            let text = report.to_string();
            assert!(!text.contains('\u{1b}'), "nothing steers the terminal");
            serde_json::to_string(&report).expect("JSON");
            true
        }
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "one line: {error}");
            false
        }
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused_or_read() {
    let whole = everything();
    assert!(survives(&whole));
    for length in 0..whole.len() {
        // The section header table comes last.
        assert!(!survives(&whole[..length]), "cut at {length}");
    }
}

#[test]
fn the_error_says_what_is_wrong() {
    let whole = everything();
    let error = |data: &[u8]| inspect::inspect(data).expect_err("an error").to_string();
    assert!(error(b"").contains("not an ELF file"));
    assert!(error(b"#!/bin/sh\n").contains("not an ELF file"));
    assert!(error(b"\x7fELF").contains("cannot read the header"));
    let cut = error(&whole[..whole.len() - 1]);
    assert!(
        cut.contains("cannot read the section header table"),
        "{cut}"
    );
    assert!(cut.contains("truncated or damaged"), "{cut}");
}

#[test]
fn every_byte_may_be_any_other() {
    let mut data = everything();
    for at in 0..data.len() {
        let right = data[at];
        for wrong in [0, 1, 0x7f, 0x80, 0xff, right ^ 1, right ^ 0x80] {
            data[at] = wrong;
            survives(&data);
        }
        data[at] = right;
    }
}

/// Pseudorandom numbers, the same in each run: Marsaglia's xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}

#[test]
fn many_bytes_may_be_others() {
    let whole = everything();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let mut data = whole.clone();
        for _ in 0..=numbers.below(8) {
            let at = numbers.below(data.len());
            data[at] = u8::try_from(numbers.below(256)).expect("a byte");
        }
        survives(&data);
    }
}

#[test]
fn a_real_program_may_be_damaged() {
    let whole = std::fs::read(host_program()).expect("the program is read");
    assert!(survives(&whole));
    for part in 0..64 {
        assert!(!survives(&whole[..whole.len() * part / 64]));
    }
    let tables = u64::from_le_bytes(whole[0x28..0x30].try_into().expect("8 bytes"));
    let tables = usize::try_from(tables).expect("within the file");
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..300 {
        let mut data = whole.clone();
        // Half of them in the headers and tables, where changes have the most effect.
        for round in 0..8 {
            let at = match round % 4 {
                0 => numbers.below(0x1000),
                1 => tables + numbers.below(whole.len() - tables),
                _ => numbers.below(whole.len()),
            };
            data[at] = u8::try_from(numbers.below(256)).expect("a byte");
        }
        survives(&data);
    }
}

/// Returns a file with many segments of one kind, each of which maps the whole file.
fn shown_often(kind: elf::ProgramType, flags: u32, content: &[u8]) -> Vec<u8> {
    const COUNT: u16 = 60_000;
    let mut data = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    data.resize(64, 0);
    data[16..20].copy_from_slice(&[2, 0, 62, 0]);
    data[32..40].copy_from_slice(&64u64.to_le_bytes());
    data[54..56].copy_from_slice(&56u16.to_le_bytes());
    data[56..58].copy_from_slice(&COUNT.to_le_bytes());
    let start = 64 + 56 * usize::from(COUNT);
    for _ in 0..COUNT {
        data.extend_from_slice(&kind.0.to_le_bytes());
        data.extend_from_slice(&flags.to_le_bytes());
        for word in [start, start, start, content.len(), content.len(), 4] {
            data.extend_from_slice(&(word as u64).to_le_bytes());
        }
    }
    data.extend_from_slice(content);
    data
}

#[test]
fn the_same_code_in_many_segments_takes_no_longer() {
    let started = Instant::now();
    let mut code = vec![0x48; 1 << 20];
    code.extend_from_slice(&musl_code("memcpy", elf::EM_X86_64, "1.2.5"));
    let data = shown_often(elf::PT_LOAD, 5, &code);
    let report = inspect::inspect(&data).expect("a report");
    assert!(report.to_string().contains("memcpy: musl"));
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn the_same_notes_in_many_segments_take_no_longer() {
    let started = Instant::now();
    let notes = note(b"fast-musl\0", 1, b"memory").repeat(1 << 15);
    let data = shown_often(elf::PT_NOTE, 4, &notes);
    let report = inspect::inspect(&data).expect("a report");
    assert_eq!(report.notes, ["memory"]);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn names_without_end_take_no_longer() {
    let started = Instant::now();
    let mut made = Made::good(&[0xc3]);
    let long = "a".repeat(16 << 20);
    // All have the same name, which is in the file once.
    made.symbols(elf::SHT_SYMTAB, &vec![(long.as_str(), 0, true); 200_000]);
    made.dynamic_text(elf::DT_NEEDED, &long);
    for _ in 0..100_000 {
        made.dynamic(elf::DT_NEEDED, 1);
    }
    let report = inspect::inspect(&made.finish()).expect("a report");
    assert!(report.linkage.needed.iter().all(|name| name.len() <= 4096));
    assert!(report.linkage.needed.len() <= 1024);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}
