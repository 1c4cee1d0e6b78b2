//! The C library and its version.

use memchr::memmem;

use crate::elf::Elf;
use crate::marks;
use crate::report::{CLibrary, Libc, Linkage, Origin, Told};
use crate::signatures;
use crate::text;

pub(crate) fn libc(elf: &Elf, linkage: &Linkage, origin: &Origin) -> Libc {
    let name = of_libraries(linkage)
        .or_else(|| of_symbols(elf))
        .or_else(|| of_contents(elf));
    let version = name.as_ref().and_then(|name| match name.what {
        CLibrary::Glibc => glibc_version(elf),
        CLibrary::Musl if linkage.kind.is_static() => musl_version(elf, origin),
        _ => None,
    });
    Libc { name, version }
}

/// Identifies the C library by the libraries that a dynamic file needs.
fn of_libraries(linkage: &Linkage) -> Option<Told<CLibrary>> {
    let mut names = linkage.interpreter.iter().chain(&linkage.needed);
    names.find_map(|name| {
        let file = name.rsplit('/').next().unwrap_or(name);
        let library = if file.starts_with("ld-musl-") || file.starts_with("libc.musl-") {
            CLibrary::Musl
        } else if file == "libc.so.6" || file.starts_with("ld-linux") {
            CLibrary::Glibc
        } else if file == "linker64" || file == "linker" {
            CLibrary::Bionic
        } else if file.starts_with("ld-uClibc") {
            CLibrary::Uclibc
        } else {
            return None;
        };
        Some(Told::new(library, name.clone()))
    })
}

fn of_symbols(elf: &Elf) -> Option<Told<CLibrary>> {
    // Both have `__libc_malloc`; only in glibc it is the same function as `malloc`.
    let musl = ["__libc_malloc_impl", "__init_libc", "__libc_start_init"];
    let glibc = [
        "__libc_start_main_impl",
        "_dl_relocate_static_pie",
        "_IO_stdin_used",
    ];
    let told = |names: &[&str], library| {
        let name = names.iter().find(|name| elf.defined(name).is_some())?;
        Some(Told::new(library, format!("symbol {name}")))
    };
    told(&musl, CLibrary::Musl).or_else(|| told(&glibc, CLibrary::Glibc))
}

fn of_contents(elf: &Elf) -> Option<Told<CLibrary>> {
    if elf.notes.iter().any(|note| note.owner == b"Go") {
        return Some(Told::new(CLibrary::None, "Go's runtime, by its note"));
    }
    if elf.contains(&marks::text(marks::GLIBC)) {
        return Some(Told::new(CLibrary::Glibc, "its strings"));
    }
    let by_code = |signature: &signatures::Signature| {
        let by = format!("the code of its {}", signature.routine);
        Told::new(CLibrary::Musl, by)
    };
    if let Some(signature) = signatures::of_one_version(elf) {
        return Some(by_code(signature));
    }
    let texts = [marks::MUSL_ERRORS, marks::MUSL_PRINTF];
    if texts
        .into_iter()
        .any(|mark| elf.contains(&marks::text(mark)))
        || signatures::has_size_classes(elf)
    {
        return Some(Told::new(CLibrary::Musl, "its strings and tables"));
    }
    // Last, because other C libraries for aarch64 have used the same assembly.
    signatures::any(elf).map(by_code)
}

/// Returns the highest glibc symbol version in the file, or the version of a static glibc.
fn glibc_version(elf: &Elf) -> Option<Told<String>> {
    let highest = elf
        .dynamic_strings()
        .split(|byte| *byte == 0)
        .filter_map(|name| numbers(name.strip_prefix(b"GLIBC_")?))
        .max();
    if let Some((major, minor)) = highest {
        return Some(Told::new(
            format!("{major}.{minor} or newer"),
            "the newest symbol version it refers to",
        ));
    }
    let mark = marks::text(marks::GLIBC_VERSION);
    let found = memmem::find_iter(elf.data, &mark).find_map(|at| {
        // The mark ends with the first number and its dot.
        let start = at + mark.len() - "2.".len();
        numbers(&elf.data[start..])
    })?;
    Some(Told::new(format!("{}.{}", found.0, found.1), "its strings"))
}

/// Parses the two numbers at the start of a text, as in `2.34`.
fn numbers(text: &[u8]) -> Option<(u32, u32)> {
    let text = text::printable(&text[..text.len().min(24)]);
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?;
    let end = minor
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(minor.len());
    Some((major, minor[..end].parse().ok()?))
}

/// musl does not store its version, but its code differs by version, and rustc ships a known one.
fn musl_version(elf: &Elf, origin: &Origin) -> Option<Told<String>> {
    if let Some(signature) = signatures::of_one_version(elf) {
        let by = format!(
            "the code of its {}, as shipped with rustc",
            signature.routine
        );
        return Some(Told::new(signature.versions.join(" or "), by));
    }
    let (major, minor) = origin.rustc()?;
    let version = match (major, minor) {
        (1, 71..=92) => "1.2.3",
        (1, 93..) => "1.2.5",
        _ => return None,
    };
    Some(Told::new(
        version.to_owned(),
        format!("the musl of rustc {major}.{minor}, unless another was linked"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_not_guessed() {
        assert_eq!(numbers(b"2.34"), Some((2, 34)));
        assert_eq!(numbers(b"2.2.5"), Some((2, 2)));
        assert_eq!(numbers(b"2.41-12) stable"), Some((2, 41)));
        assert_eq!(numbers(b"PRIVATE"), None);
        assert_eq!(numbers(b"2."), None);
        assert_eq!(numbers(b""), None);
    }
}
