//! The version of the loaded glibc.
//!
//! Calling glibc's `gnu_get_libc_version` takes unsafe code. The library file
//! has the same number in the banner that it prints when run as a program, so
//! the file mapped into the process is read instead.

// Compiled on every Linux so its tests run there; used with glibc only.
#![cfg_attr(not(target_env = "gnu"), allow(dead_code))]

use std::path::Path;

use super::ProbeError;
use super::maps::mapped_files;

const BANNER: &[u8] = b"GNU C Library";
const VERSION: &[u8] = b" release version ";
/// The banner's first line is shorter than this, including the distributor's name.
const BANNER_LIMIT: usize = 256;

pub(super) fn loaded_version() -> Result<String, ProbeError> {
    let files = mapped_files()?;
    let path = files
        .iter()
        .find(|path| is_glibc(path))
        .ok_or(ProbeError::Unavailable(
            "no shared glibc is loaded into this process",
        ))?;
    let image = std::fs::read(path).map_err(|source| ProbeError::Read {
        path: path.clone(),
        source,
    })?;
    version_in(&image).ok_or_else(|| ProbeError::NoVersion { path: path.clone() })
}

/// The file is `libc.so.6`. Before glibc 2.34 that was a link to a file such as
/// `libc-2.33.so`, and mappings show the link's target.
fn is_glibc(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let versioned = name
        .strip_prefix("libc-2.")
        .and_then(|rest| rest.strip_suffix(".so"));
    name == "libc.so.6" || versioned.is_some()
}

fn version_in(image: &[u8]) -> Option<String> {
    let mut rest = image;
    while let Some(at) = find(rest, BANNER) {
        rest = &rest[at + BANNER.len()..];
        let line = &rest[..rest.len().min(BANNER_LIMIT)];
        let line = line.split(|&byte| byte == b'\n' || byte == 0).next()?;
        if let Some(version) = version_of(line) {
            return Some(version);
        }
    }
    None
}

/// Returns the number after "release version", without the final full stop.
fn version_of(line: &[u8]) -> Option<String> {
    let number = &line[find(line, VERSION)? + VERSION.len()..];
    let number: String = number
        .iter()
        .map(|&byte| char::from(byte))
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let number = number.trim_end_matches('.');
    number
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| number.to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners_of_several_distributors() {
        let cases: [(&[u8], Option<&str>); 7] = [
            (
                b"\x7fELF..\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\nCopyright",
                Some("2.36"),
            ),
            (
                b"GNU C Library (GNU libc) development release version 2.41.9000.\n",
                Some("2.41.9000"),
            ),
            (
                b"GNU C Library manual\0GNU C Library (x) stable release version 2.3.",
                Some("2.3"),
            ),
            (b"GNU C Library\n stable release version 2.36.", None),
            (b"GNU C Library stable release version unknown", None),
            (b"stable release version 2.36.", None),
            (b"GNU C Library", None),
        ];
        for (image, expected) in cases {
            assert_eq!(
                version_in(image).as_deref(),
                expected,
                "{}",
                String::from_utf8_lossy(image)
            );
        }
    }

    #[test]
    fn only_glibc_itself_counts() {
        assert!(is_glibc(Path::new("/lib/libc.so.6")));
        assert!(is_glibc(Path::new("/lib/libc-2.31.so")));
        assert!(!is_glibc(Path::new("/lib/libc.so")));
        assert!(!is_glibc(Path::new("/lib/libcrypt.so.1")));
        assert!(!is_glibc(Path::new("/")));
    }

    #[cfg(all(target_env = "gnu", not(target_feature = "crt-static")))]
    #[test]
    fn this_process_has_a_glibc_with_a_version() {
        let version = loaded_version().expect("a glibc is loaded");
        assert!(version.starts_with("2."), "{version}");
    }
}
