//! The files mapped into this process.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::ProbeError;

const MAPS: &str = "/proc/self/maps";

/// Returns the paths of the files mapped into this process.
pub(super) fn mapped_files() -> Result<BTreeSet<PathBuf>, ProbeError> {
    let text = std::fs::read(MAPS).map_err(|source| ProbeError::Read {
        path: MAPS.into(),
        source,
    })?;
    Ok(parse(&text))
}

/// Parses bytes, because paths need not be UTF-8. Entries without a file
/// (anonymous memory, `[stack]`, `[vdso]`) are left out.
fn parse(text: &[u8]) -> BTreeSet<PathBuf> {
    text.split(|&byte| byte == b'\n')
        .filter_map(path_of)
        .map(|path| PathBuf::from(OsStr::from_bytes(path)))
        .collect()
}

/// A line is "range permissions offset device inode", padding, and the path.
/// Only the path may contain spaces.
fn path_of(line: &[u8]) -> Option<&[u8]> {
    let rest = line.splitn(6, |&byte| byte == b' ').nth(5)?;
    let path = rest.trim_ascii_start();
    path.starts_with(b"/").then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_kept_once_and_whole() {
        let text = b"\
55d0-55d1 r--p 00000000 08:01 17                         /opt/a b/broker
55d1-55d2 r-xp 00001000 08:01 17                         /opt/a b/broker
7f00-7f01 rw-p 00000000 00:00 0 \n\
7f01-7f02 r--p 00000000 08:01 99                         /lib/\xff/libc.so.6
7ffc-7ffd rw-p 00000000 00:00 0                          [stack]
truncated line\n";
        let expected = [
            PathBuf::from("/opt/a b/broker"),
            PathBuf::from(OsStr::from_bytes(b"/lib/\xff/libc.so.6")),
        ];
        assert_eq!(parse(text), BTreeSet::from(expected));
        assert_eq!(parse(b""), BTreeSet::new());
    }

    #[test]
    fn this_process_has_its_own_executable_mapped() {
        let own = std::env::current_exe().expect("the test executable has a path");
        let files = mapped_files().expect("/proc is mounted");
        assert!(files.contains(&own), "{files:?} lacks {own:?}");
    }
}
