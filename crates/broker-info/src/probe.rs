//! Errors of the probes, and the notes made from them.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a value could not be found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A system call failed.
    #[error("cannot {what}")]
    System {
        /// The action that failed.
        what: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
    /// The executable's headers are malformed.
    #[cfg(target_os = "linux")]
    #[error("cannot parse the executable's ELF headers")]
    Elf(#[from] elf::ParseError),
    /// The ELF type is not that of an executable.
    #[error("ELF type {0} is not an executable")]
    ElfType(u16),
    /// The kernel started a dynamic loader, whose headers do not describe the program.
    #[error("the program was started through a dynamic loader")]
    StartedByLoader,
    /// A file has no version.
    #[error("{} has no readable version", path.display())]
    NoVersion {
        /// The file.
        path: PathBuf,
    },
    /// jemalloc's report has another form.
    #[error("cannot parse jemalloc's report")]
    Report(#[from] serde_json::Error),
    /// The value does not exist on this system.
    #[error("{0}")]
    Unavailable(&'static str),
}

/// Formats an error and its causes on one line.
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

/// Why values are missing, collected while a description is made.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    /// Adds the reason why `key` has no value.
    pub(super) fn add(&mut self, key: &str, reason: &str) {
        self.0.push(format!("{key}: {reason}"));
    }

    /// Returns the value, or adds a note and returns `None`.
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
