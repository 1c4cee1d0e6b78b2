//! The parts of std's `fs` that run in the C library.

use std::env;
use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process;

use super::{Calls, Row, repeat};

pub(super) fn rows() -> Vec<Row> {
    vec![Row::cpu(
        "files: opendir and readdir, 1,000 entries",
        readdir,
    )]
}

const ENTRIES: usize = 1000;

fn readdir() -> io::Result<Calls> {
    let folder = Folder::new()?;
    let path = CString::new(folder.path.as_os_str().as_bytes())?;
    repeat(move || {
        let _ = &folder;
        let mut entries = 0;
        // SAFETY: the path is a string; the stream is read and closed only if it is open.
        unsafe {
            let stream = libc::opendir(path.as_ptr());
            assert!(!stream.is_null(), "opendir: {}", io::Error::last_os_error());
            while !libc::readdir(stream).is_null() {
                entries += 1;
            }
            libc::closedir(stream);
        }
        // "." and ".." are included.
        assert_eq!(entries, ENTRIES + 2);
    })
}

/// A folder of empty files, which is removed on drop.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn new() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("survey-{}", process::id()));
        fs::create_dir(&path)?;
        let folder = Self { path };
        for number in 0..ENTRIES {
            File::create_new(folder.path.join(format!("entry-{number:04}")))?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // If this fails, it leaves only empty files in a temporary folder.
        let _ = fs::remove_dir_all(&self.path);
    }
}
