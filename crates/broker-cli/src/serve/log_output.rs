//! Where the log is written: standard error, or a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Standard error, or a file that can be opened again.
#[derive(Debug)]
pub(crate) struct Output(Option<(PathBuf, Mutex<File>)>);

impl Output {
    /// Opens the file, if there is one; lines go to its end.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path: &Path| append_to(path).map(|file| (path.to_owned(), Mutex::new(file)));
        path.map(open).transpose().map(Self)
    }

    /// Whether it is a file.
    pub(crate) fn is_file(&self) -> bool {
        self.0.is_some()
    }

    /// Writes lines, and waits if it must.
    pub(crate) fn write_all(&self, lines: &[u8]) -> io::Result<()> {
        match &self.0 {
            Some((_, file)) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(lines)
            }
            None => io::stderr().write_all(lines),
        }
    }

    /// Opens the file again, which may have been moved. Tells in the log how that went.
    pub(crate) fn reopen(&self) {
        let Some((path, file)) = &self.0 else {
            tracing::info!("SIGUSR1: no log file to open again: the log is standard error");
            return;
        };
        match append_to(path) {
            Ok(new) => {
                *file.lock().unwrap_or_else(PoisonError::into_inner) = new;
                tracing::info!("SIGUSR1: log file opened again");
            }
            Err(error) => {
                let path = path.display();
                tracing::error!(
                    "SIGUSR1: cannot open {path} again, the log goes on as before: {error}"
                );
            }
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
