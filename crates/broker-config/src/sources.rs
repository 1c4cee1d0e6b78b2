//! The sources of a configuration.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Size limit of a file, in bytes.
pub const MAX_FILE: usize = 16 << 20;

/// Access to files and environment variables: the parser uses nothing else of the system.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Reads a file; bytes after the first `MAX_FILE + 1` are not needed.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// Returns an environment variable, if it is set.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Sources<'_> {
    /// The system's files and the process's environment.
    #[must_use]
    pub fn system() -> Self {
        Self {
            read: &read,
            variable: &|name| std::env::var(name).ok(),
        }
    }
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_FILE as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
