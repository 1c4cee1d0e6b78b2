//! Paths of the machine that built a file.

use memchr::memmem;

use crate::marks::{self, Mark};
use crate::report::{Left, Paths};
use crate::text;

/// The number of different paths given as examples, and the length of each.
const EXAMPLES: usize = 3;
const LONGEST_EXAMPLE: usize = 120;

const STORE: Mark = "/nix/st|ore/";
/// Build directories: in Nix's sandbox, and without it.
const SANDBOX: Mark = "/bui|ld/";
const NO_SANDBOX: Mark = "/tmp/nix-|build-";
const HOME: Mark = "/ho|me/";
/// Sources of crates in a `CARGO_HOME`.
const REGISTRY: Mark = "/registry|/src/";
const CHECKOUTS: Mark = "/git/check|outs/";

pub(crate) fn paths(data: &[u8]) -> Paths {
    let mut store = Left::default();
    look_for(data, STORE, &mut store, |_, rest| is_store_path(rest));
    let mut build = Left::default();
    look_for(data, SANDBOX, &mut build, |before, rest| {
        begins_path(before) && is_named(rest)
    });
    look_for(data, NO_SANDBOX, &mut build, |_, rest| is_named(rest));
    look_for(data, HOME, &mut build, |before, rest| {
        // A user name, and something in that directory.
        let name = component(rest);
        begins_path(before)
            && is_named(rest)
            && is_named(rest.get(name.len() + 1..).unwrap_or(&[]))
            && rest.get(name.len()) == Some(&b'/')
    });
    for sources in [REGISTRY, CHECKOUTS] {
        look_for(data, sources, &mut build, |_, rest| {
            let folder = component(rest);
            has_hash(folder) && rest.get(folder.len()) == Some(&b'/')
        });
    }
    Paths { store, build }
}

/// Counts the occurrences of this text for which `fits` accepts the bytes before and after it.
fn look_for(data: &[u8], mark: Mark, left: &mut Left, fits: impl Fn(&[u8], &[u8]) -> bool) {
    let wanted = marks::text(mark);
    for at in memmem::find_iter(data, &wanted) {
        let (before, rest) = (&data[..at], &data[at + wanted.len()..]);
        if !fits(before, rest) {
            continue;
        }
        left.count += 1;
        if left.examples.len() < EXAMPLES {
            let path = &data[at..];
            let path = &path[..path.len().min(LONGEST_EXAMPLE)];
            let end = path.iter().position(|byte| !is_of_path(*byte));
            let path = text::printable(&path[..end.unwrap_or(path.len())]);
            if !left.examples.contains(&path) {
                left.examples.push(path);
            }
        }
    }
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-+@=,~".contains(&byte)
}

/// Returns whether a file name begins here, like those of sources and directories.
fn is_named(rest: &[u8]) -> bool {
    rest.first()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._".contains(byte))
}

/// Returns the bytes up to the next slash or the end of the possible file name.
fn component(rest: &[u8]) -> &[u8] {
    let rest = &rest[..rest.len().min(256)];
    let end = rest
        .iter()
        .position(|byte| *byte == b'/' || !is_of_path(*byte));
    &rest[..end.unwrap_or(rest.len())]
}

/// After the store directory: 32 digits of Nix's base 32, and a dash.
fn is_store_path(rest: &[u8]) -> bool {
    rest.len() > 32
        && rest[32] == b'-'
        && rest[..32]
            .iter()
            .all(|byte| b"0123456789abcdfghijklmnpqrsvwxyz".contains(byte))
}

/// Cargo's directories end in a dash and 16 hexadecimal digits.
fn has_hash(folder: &[u8]) -> bool {
    folder.len() > 17 && {
        let (name, hash) = folder.split_at(folder.len() - 17);
        !name.is_empty() && hash[0] == b'-' && hash[1..].iter().all(u8::is_ascii_hexdigit)
    }
}

/// Returns whether a path can begin after these bytes, rather than continue, as in
/// `/usr/src/build/…`. Rust's texts are stored without separators, so letters before the path are
/// possible; a directory before it means that it continues, unless that is a file's name.
fn begins_path(before: &[u8]) -> bool {
    let before = &before[before.len().saturating_sub(256)..];
    let start = before
        .iter()
        .rposition(|byte| !is_of_path(*byte))
        .map_or(0, |at| at + 1);
    let path = &before[start..];
    let (in_folder, name) = match memchr::memrchr(b'/', path) {
        None => (false, path),
        Some(slash) => (true, &path[slash + 1..]),
    };
    match name {
        // The path is relative.
        b"." | b".." => false,
        b"" => true,
        name => !in_folder || name.contains(&b'.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(text: &str) -> usize {
        paths(text.as_bytes()).store.count
    }

    fn build(text: &str) -> usize {
        paths(text.as_bytes()).build.count
    }

    #[test]
    fn store_paths_have_a_hash() {
        let path = "/nix/store/ckk7h0wpkrg1pfxxk668dyjcdk4j9f6d-glibc-2.41/lib";
        assert_eq!(store(path), 1);
        assert_eq!(store(&format!("{path}:{path}\0x")), 2);
        assert_eq!(paths(path.as_bytes()).store.examples, [path]);
        assert_eq!(store("/nix/store/"), 0);
        assert_eq!(
            store("/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-glibc"),
            0,
            "a reference that Nix was told to remove"
        );
        assert_eq!(store("/nix/store/ckk7h0wpkrg1pfxxk668dyjcdk4j9f6d"), 0);
    }

    #[test]
    fn folders_of_builds_are_seen() {
        assert_eq!(build("\0/build/source/src/main.rs\0"), 1);
        assert_eq!(
            build("overflow/build/source/src/main.rs"),
            1,
            "Rust's texts touch"
        );
        assert_eq!(
            build("/rustc/0123/library/core/src/str/mod.rs/build/source/a.rs"),
            1
        );
        assert_eq!(build("/tmp/nix-build-broker.drv-0/source"), 1);
        assert_eq!(build("/home/me/project/src/main.rs"), 1);
        assert_eq!(
            build("/root/.cargo/registry/src/index-1949cf8c6b5b557f/object-0.40.0/src/elf.rs"),
            1
        );
        assert_eq!(
            build("/root/.cargo/git/checkouts/object-0123456789abcdef/12ab/src/elf.rs"),
            1
        );
    }

    #[test]
    fn other_paths_are_not() {
        assert_eq!(
            build("/usr/src/build/main.rs"),
            0,
            "in the middle of a path"
        );
        assert_eq!(build("\0./build/main.c"), 0);
        assert_eq!(build("\0../../build/main.c"), 0);
        assert_eq!(build("/build/"), 0);
        assert_eq!(build("/build//x"), 0);
        assert_eq!(build("no /build/, no /tmp/nix-build-, it says"), 0, "prose");
        assert_eq!(build("/home/"), 0);
        assert_eq!(build("/home/me"), 0, "no file of a user");
        assert_eq!(build("/home/me/"), 0);
        assert_eq!(build("/home/%s/x"), 0);
        assert_eq!(build("/cargo/registry/src/lib.rs"), 0);
        assert_eq!(
            build("/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/str/mod.rs"),
            0
        );
        assert_eq!(build("/crates/object-0.40.0/src/elf.rs"), 0);
    }

    #[test]
    fn examples_differ_and_are_few() {
        let text = "/build/0 /build/0 /build/1 /build/2 /build/1 /build/3 /build/4";
        let left = paths(text.as_bytes()).build;
        assert_eq!(left.count, 7);
        assert_eq!(left.examples, ["/build/0", "/build/1", "/build/2"]);
    }

    #[test]
    fn long_paths_are_cut() {
        let text = format!("/build/{}", "a/".repeat(1000));
        let left = paths(text.as_bytes()).build;
        assert_eq!(left.count, 1);
        assert_eq!(left.examples[0].len(), LONGEST_EXAMPLE);
    }
}
