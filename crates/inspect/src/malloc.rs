//! The linked allocators, and which of them defines `malloc`.

use object::elf;

use crate::elf::{Elf, Symbol};
use crate::marks;
use crate::report::{Allocator, CLibrary, Libc, Linkage, Malloc, Told};
use crate::signatures;

/// Functions that only one allocator defines.
const OWN_NAMES: [(Allocator, &[&str]); 5] = [
    (
        Allocator::Jemalloc,
        &[
            "_rjem_malloc",
            "je_malloc",
            "mallctl",
            "_rjem_mallctl",
            "je_mallctl",
        ],
    ),
    (Allocator::Mimalloc, &["mi_malloc", "_mi_malloc_generic"]),
    (Allocator::Tcmalloc, &["tc_malloc"]),
    (Allocator::Musl, &["__libc_malloc_impl"]),
    (
        Allocator::Glibc,
        &["_int_malloc", "__malloc_hugepage_config"],
    ),
];

/// Other names of each allocator's `malloc`, or of the function that it jumps to.
const NAMES_OF_MALLOC: [(Allocator, &[&str]); 5] = [
    (Allocator::Jemalloc, &["_rjem_malloc", "je_malloc"]),
    (Allocator::Mimalloc, &["mi_malloc"]),
    (Allocator::Tcmalloc, &["tc_malloc"]),
    (
        Allocator::Musl,
        &["default_malloc", "__libc_malloc_impl", "__simple_malloc"],
    ),
    (Allocator::Glibc, &["__libc_malloc"]),
];

pub(crate) fn malloc(elf: &Elf, linkage: &Linkage, libc: &Libc) -> Malloc {
    let linked = linked(elf, libc);
    let answers = by_note(elf)
        .map(|note| match by_symbol(elf, libc) {
            // The object with the note was linked, but `malloc` comes from another one.
            Some(symbol) if symbol.what != note.what => Told {
                by: format!("{}, though {} says {}", symbol.by, note.by, note.what),
                what: symbol.what,
            },
            _ => note,
        })
        .or_else(|| by_import(elf, linkage, libc))
        .or_else(|| by_symbol(elf, libc))
        .or_else(|| match linked.as_slice() {
            [one] if linkage.kind.is_static() => Some(Told::new(
                one.what.clone(),
                format!("{}, and there is no other", one.by),
            )),
            _ => None,
        });
    Malloc { answers, linked }
}

fn by_note(elf: &Elf) -> Option<Told<Allocator>> {
    let allocator = elf
        .fast_musl_notes()
        .find_map(|note| note.strip_prefix(b"malloc="))?;
    let allocator = match allocator {
        b"jemalloc" => Allocator::Jemalloc,
        b"mimalloc" => Allocator::Mimalloc,
        other => Allocator::Other(crate::text::printable(other)),
    };
    Some(Told::new(allocator, "a note of fast-musl"))
}

/// A dynamic file without its own `malloc` gets it from the first needed library that has it.
fn by_import(elf: &Elf, linkage: &Linkage, libc: &Libc) -> Option<Told<Allocator>> {
    if !elf.imports("malloc") || elf.defined("malloc").is_some() {
        return None;
    }
    let of_library = |name: &str| {
        let names = [
            ("libjemalloc", Allocator::Jemalloc),
            ("libmimalloc", Allocator::Mimalloc),
            ("libtcmalloc", Allocator::Tcmalloc),
        ];
        let found = names.into_iter().find(|(start, _)| name.starts_with(start));
        found.map(|(_, allocator)| Told::new(allocator, format!("imported from {name}")))
    };
    let of_libc = || {
        let allocator = match libc.name.as_ref()?.what {
            CLibrary::Glibc => Allocator::Glibc,
            CLibrary::Musl => Allocator::Musl,
            other => Allocator::Other(other.to_string()),
        };
        Some(Told::new(allocator, "imported from the C library"))
    };
    linkage
        .needed
        .iter()
        .find_map(|name| of_library(name))
        .or_else(of_libc)
}

/// Identifies `malloc` by its other names, or by the function that it jumps to.
fn by_symbol(elf: &Elf, libc: &Libc) -> Option<Told<Allocator>> {
    let malloc = elf.defined("malloc")?;
    let target = jump_target(elf, malloc.address);
    let named = NAMES_OF_MALLOC.iter().find_map(|(allocator, names)| {
        // In musl, `__libc_malloc` is another function, not necessarily called by `malloc`.
        if *allocator == Allocator::Glibc && libc.is(CLibrary::Musl) {
            return None;
        }
        let is_named = |symbol: &Symbol, address| {
            symbol.is_defined
                && symbol.address == address
                && names.iter().any(|name| symbol.name == name.as_bytes())
        };
        elf.all_symbols().find_map(|symbol| {
            let name = || String::from_utf8_lossy(symbol.name);
            if is_named(symbol, malloc.address) {
                Some(Told::new(
                    allocator.clone(),
                    format!("symbol malloc is {}", name()),
                ))
            } else if target.is_some_and(|target| is_named(symbol, target)) {
                Some(Told::new(
                    allocator.clone(),
                    format!("symbol malloc jumps to {}", name()),
                ))
            } else {
                None
            }
        })
    });
    // jemalloc without a prefix: its control function has no prefix either.
    named.or_else(|| {
        elf.defined("mallctl")
            .map(|_| Told::new(Allocator::Jemalloc, "symbols malloc and mallctl"))
    })
}

/// Returns the jump target of a function that only passes on its arguments.
fn jump_target(elf: &Elf, address: u64) -> Option<u64> {
    let code = elf.at(address)?;
    match elf.machine {
        elf::EM_X86_64 => {
            // `endbr64` may come first.
            let (start, code) = match code.strip_prefix(&[0xf3, 0x0f, 0x1e, 0xfa]) {
                Some(rest) => (address.wrapping_add(4), rest),
                None => (address, code),
            };
            let (indirect, rest) = match code {
                [0xe9, rest @ ..] => (false, rest),
                // Through a pointer.
                [0xff, 0x25, rest @ ..] => (true, rest),
                _ => return None,
            };
            let distance = i64::from(i32::from_le_bytes(*rest.first_chunk()?));
            let length = if indirect { 6 } else { 5 };
            let target = start.wrapping_add(length).wrapping_add_signed(distance);
            if indirect {
                elf.pointer(target)
            } else {
                Some(target)
            }
        }
        elf::EM_AARCH64 => {
            let instruction = u32::from_le_bytes(*code.first_chunk()?);
            // `b`, with a 26-bit distance in instructions.
            let is_branch = instruction >> 26 == 0b00_0101;
            let distance = i64::from((instruction << 6).cast_signed() >> 6) * 4;
            is_branch.then(|| address.wrapping_add_signed(distance))
        }
        _ => None,
    }
}

fn linked(elf: &Elf, libc: &Libc) -> Vec<Told<Allocator>> {
    let mut linked: Vec<Told<Allocator>> = Vec::new();
    let mut add = |allocator: Allocator, by: String| {
        if linked.iter().all(|told| told.what != allocator) {
            linked.push(Told::new(allocator, by));
        }
    };
    for (allocator, names) in OWN_NAMES {
        if let Some(name) = names.iter().find(|name| elf.defined(name).is_some()) {
            add(allocator, format!("symbol {name}"));
        }
    }
    for (allocator, mark) in [
        (Allocator::Jemalloc, marks::JEMALLOC),
        (Allocator::Mimalloc, marks::MIMALLOC),
        (Allocator::Glibc, marks::GLIBC_MALLOC),
    ] {
        if elf.contains(&marks::text(mark)) {
            add(allocator, "its messages".to_owned());
        }
    }
    if let Some(signature) = signatures::of(elf, "malloc") {
        add(
            Allocator::Musl,
            format!("code of musl {}", signature.versions.join(" and ")),
        );
    } else if libc.is(CLibrary::Musl) && signatures::has_size_classes(elf) {
        add(Allocator::Musl, "its table of sizes".to_owned());
    }
    linked
}
