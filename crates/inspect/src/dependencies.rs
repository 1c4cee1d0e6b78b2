//! The list of crates that cargo-auditable embeds.

use auditable_info::audit_info_from_slice;
use auditable_serde::DependencyKind;

use crate::elf::Elf;
use crate::report::{Crate, Dependencies};
use crate::text;

/// The section with the list.
const SECTION: &str = ".dep-v0";
/// The largest decompressed list accepted. The list for a program of a thousand crates is a tenth
/// of this.
const LARGEST: usize = 1 << 20;

pub(crate) fn dependencies(elf: &Elf) -> Dependencies {
    if elf.section(SECTION).is_none() {
        return Dependencies::None;
    }
    let info = match audit_info_from_slice(elf.data, LARGEST) {
        Ok(info) => info,
        Err(error) => {
            return Dependencies::Unreadable(text::printable(error.to_string().as_bytes()));
        }
    };
    let crates = info
        .packages
        .into_iter()
        .map(|package| Crate {
            name: text::printable(package.name.as_bytes()),
            version: package.version.to_string(),
            source: text::printable(String::from(package.source).as_bytes()),
            build_only: package.kind == DependencyKind::Build,
            root: package.root,
        })
        .collect();
    Dependencies::Crates(crates)
}
