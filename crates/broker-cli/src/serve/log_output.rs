//! The log's output: standard error or a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Standard error, or a file that can be reopened.
#[derive(Debug)]
pub(crate) struct Output(Option<(PathBuf, Mutex<File>)>);

impl Output {
    /// Opens the file, if there is one, to append to it.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path: &Path| append_to(path).map(|file| (path.to_owned(), Mutex::new(file)));
        path.map(open).transpose().map(Self)
    }

    /// Returns whether it is a file.
    pub(crate) fn is_file(&self) -> bool {
        self.0.is_some()
    }

    /// Writes lines; may block.
    pub(crate) fn write_all(&self, lines: &[u8]) -> io::Result<()> {
        match &self.0 {
            Some((_, file)) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(lines)
            }
            None => io::stderr().write_all(lines),
        }
    }

    /// Reopens the file, which may have been moved, and logs the result.
    pub(crate) fn reopen(&self) {
        let Some((path, file)) = &self.0 else {
            tracing::info!("SIGUSR1: there is no log file to reopen; the log is standard error");
            return;
        };
        match append_to(path) {
            Ok(new) => {
                *file.lock().unwrap_or_else(PoisonError::into_inner) = new;
                tracing::info!("SIGUSR1: reopened the log file");
            }
            Err(error) => {
                let path = path.display();
                tracing::error!(
                    "SIGUSR1: cannot reopen {path}, the log continues as before: {error}"
                );
            }
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
