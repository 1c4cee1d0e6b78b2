//! Where a configuration comes from.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 16 << 20;

/// What a configuration is read from: nothing else is asked of the system.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Gives the bytes of a file; no more than one beyond [`MAX_FILE`] are of use.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// Gives a variable of the environment, if it is set.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Sources<'_> {
    /// The files of the system and the environment of the process.
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
