//! The origin of memory and string routines and `getrandom`.

use crate::elf::Elf;
use crate::marks;
use crate::report::{CLibrary, Libc, Linkage, Owner, Routine, Told};
use crate::signatures;

/// The reported routines, and the part of fast-musl that replaces each. `strlen` represents all
/// string routines.
const ROUTINES: [(&str, &str); 5] = [
    ("memcpy", "memory"),
    ("memmove", "memory"),
    ("memset", "memory"),
    ("strlen", "strings"),
    ("getrandom", "getrandom"),
];

/// The parts of fast-musl that the requirement `routines=fast-musl` expects.
pub(crate) const PARTS: [&str; 3] = ["memory", "strings", "getrandom"];

pub(crate) fn routines(elf: &Elf, linkage: &Linkage, libc: &Libc) -> Vec<Routine> {
    ROUTINES
        .into_iter()
        .map(|(name, part)| Routine {
            name,
            owner: owner(elf, linkage, libc, name, part),
        })
        .collect()
}

fn owner(elf: &Elf, linkage: &Linkage, libc: &Libc, name: &str, part: &str) -> Option<Told<Owner>> {
    let musl = signatures::of(elf, name)
        .map(|signature| format!("code of musl {}", signature.versions.join(" and ")));
    if elf.has_fast_musl_note(part) {
        return Some(match musl {
            None => Told::new(Owner::FastMusl, "a note of fast-musl"),
            Some(code) => Told::new(
                Owner::FastMuslAndMusl,
                format!("a note of fast-musl, and {code}"),
            ),
        });
    }
    if let Some(symbol) = elf.defined(name) {
        return Some(
            if signatures::begins_at(elf, symbol.address, name).is_some() {
                Told::new(Owner::Musl, "the code at its symbol")
            } else if symbol.is_indirect && libc.is(CLibrary::Glibc) {
                Told::new(Owner::Glibc, "its symbol, resolved at program start")
            } else {
                let also = musl.map_or(String::new(), |code| format!("; also {code}"));
                Told::new(
                    Owner::Own,
                    format!("the code at its symbol is not musl's{also}"),
                )
            },
        );
    }
    if let Some(code) = musl {
        return Some(Told::new(Owner::Musl, code));
    }
    if elf.imports(name) {
        return Some(Told::new(Owner::SharedLibrary, "imported"));
    }
    if !linkage.needed.is_empty() {
        return Some(Told::new(Owner::NotCalled, "not imported"));
    }
    if elf.symbols.is_some() {
        return Some(Told::new(Owner::NotCalled, "no symbol"));
    }
    if libc.is(CLibrary::Glibc) {
        return Some(Told::new(
            Owner::Glibc,
            "the C library's, unless the program has its own",
        ));
    }
    if name == "getrandom" && elf.contains(&marks::text(marks::VDSO_GETRANDOM)) {
        return Some(Told::new(Owner::Vdso, "its strings"));
    }
    None
}
