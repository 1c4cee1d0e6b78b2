//! The pid file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The pid file of a running server.
#[derive(Debug)]
pub(crate) struct PidFile(PathBuf);

impl PidFile {
    /// Writes the process id to the file; an existing file is replaced.
    pub(crate) fn write(path: &Path) -> io::Result<Self> {
        fs::write(path, own_number())?;
        Ok(Self(path.to_owned()))
    }

    /// Removes the file, unless another process has written its own id to it.
    pub(crate) fn remove(&self) {
        let known = fs::read_to_string(&self.0);
        if known.is_ok_and(|text| text == own_number())
            && let Err(error) = fs::remove_file(&self.0)
        {
            tracing::warn!("cannot remove {}: {error}", self.0.display());
        }
    }
}

fn own_number() -> String {
    std::process::id().to_string()
}
