//! How a value that could not be found out becomes a note.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a value could not be found out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A request to the system failed.
    #[error("cannot {what}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The executable's headers could not be understood.
    #[cfg(target_os = "linux")]
    #[error("cannot understand the executable's ELF headers")]
    Elf(#[from] elf::ParseError),
    /// The executable is neither of the kinds that a process starts from.
    #[error("the ELF type {0} is not that of an executable")]
    ElfType(u16),
    /// What the kernel started is the loader, and so says nothing of linkage.
    #[error("the program was started by way of a dynamic loader")]
    StartedByLoader,
    /// A file carries no version.
    #[error("{} carries no version that can be read", path.display())]
    NoVersion {
        /// The file.
        path: PathBuf,
    },
    /// jemalloc's report was not the JSON that was asked for.
    #[error("cannot understand jemalloc's report")]
    Report(#[from] serde_json::Error),
    /// The value does not exist here.
    #[error("{0}")]
    Unavailable(&'static str),
}

/// An error and its causes in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// The reasons gathered while a description is made.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    /// Takes note of why `key` has no value.
    pub(super) fn add(&mut self, key: &str, reason: &str) {
        self.0.push(format!("{key}: {reason}"));
    }

    /// The value, or `None` and a note.
    pub(super) fn keep<T>(&mut self, key: &str, found: Result<T, ProbeError>) -> Option<T> {
        found.inspect_err(|error| self.add(key, &chain(error))).ok()
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_becomes_none_and_a_note_with_its_cause() {
        let mut notes = Notes::default();
        let failed: Result<u8, _> = Err(ProbeError::Read {
            path: "/nowhere".into(),
            source: io::Error::other("gone"),
        });
        assert_eq!(notes.keep("page_size", failed), None);
        assert_eq!(notes.keep("cpus", Ok(2)), Some(2));
        assert_eq!(notes.into_vec(), ["page_size: cannot read /nowhere: gone"]);
    }
}
