//! Progress on standard error.

use std::io::{self, IsTerminal, Write};

use crate::format;
use crate::session::Progress;

/// On a terminal, one line that is overwritten; elsewhere, one line after
/// another.
#[derive(Debug)]
pub(crate) struct Display {
    terminal: bool,
}

impl Display {
    pub(crate) fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
        }
    }

    pub(crate) fn show(&self, progress: &Progress) {
        let left = match progress.left {
            Some(left) => format!(" ({} left)", format::duration(left.as_secs())),
            None => String::new(),
        };
        let (done, total) = (progress.done + 1, progress.total);
        self.put(&format!("[{done}/{total}] {}{left}", progress.what));
    }

    /// Prints a line that remains.
    pub(crate) fn say(&self, text: &str) {
        self.clear();
        // Errors are ignored: standard error may be closed.
        let _ = writeln!(io::stderr(), "{text}");
    }

    pub(crate) fn clear(&self) {
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn put(&self, line: &str) {
        let mut out = io::stderr().lock();
        let _ = if self.terminal {
            // A wrapped line could not be overwritten.
            let line: String = line.chars().take(79).collect();
            write!(out, "\r\x1b[K{line}").and_then(|()| out.flush())
        } else {
            writeln!(out, "{line}")
        };
    }
}
