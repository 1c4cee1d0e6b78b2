//! The compilers and the linker.

use std::collections::HashSet;

use crate::elf::Elf;
use crate::report::Origin;
use crate::text;

/// The number of compiler names reported. Each object has its compiler's name; the linker, or else
/// this module, removes repetitions.
const MOST_COMPILERS: usize = 64;

pub(crate) fn origin(elf: &Elf) -> Origin {
    let comment = elf
        .section(".comment")
        .map(|section| section.data)
        .unwrap_or_default();
    let mut seen = HashSet::new();
    let mut compilers = Vec::new();
    let mut linker = None;
    for name in comment
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        if let Some(name) = name.strip_prefix(b"Linker: ") {
            linker = Some(text::printable(name));
        } else if name.starts_with(b"mold ") {
            linker = Some(text::printable(name));
        } else if compilers.len() < MOST_COMPILERS && seen.insert(name) {
            compilers.push(text::printable(name));
        }
    }
    if linker.is_none() && elf.section(".note.gnu.gold-version").is_some() {
        linker = Some("GNU gold".to_owned());
    }
    Origin { compilers, linker }
}

impl Origin {
    /// Returns rustc's version, as in `rustc version 1.95.0 (59807616e 2026-04-14)`.
    pub(crate) fn rustc(&self) -> Option<(u32, u32)> {
        self.compilers.iter().find_map(|name| {
            let version = name.strip_prefix("rustc version ")?;
            let mut numbers = version.split(|c: char| !c.is_ascii_digit());
            let major = numbers.next()?.parse().ok()?;
            let minor = numbers.next()?.parse().ok()?;
            Some((major, minor))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_rustc_is_read() {
        let of = |name: &str| {
            Origin {
                compilers: vec!["GCC: (GNU) 9.4.0".to_owned(), name.to_owned()],
                linker: None,
            }
            .rustc()
        };
        assert_eq!(
            of("rustc version 1.95.0 (59807616e 2026-04-14)"),
            Some((1, 95))
        );
        assert_eq!(of("rustc version 1.100.0-nightly"), Some((1, 100)));
        assert_eq!(of("rustc version x"), None);
        assert_eq!(of("clang version 22"), None);
    }
}
