//! The file with the number of the process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file, for as long as the server serves.
#[derive(Debug)]
pub(crate) struct PidFile(PathBuf);

impl PidFile {
    /// Writes it, over what is there.
    pub(crate) fn write(path: &Path) -> io::Result<Self> {
        fs::write(path, own_number())?;
        Ok(Self(path.to_owned()))
    }

    /// Removes it, unless another process has written its own number since.
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
