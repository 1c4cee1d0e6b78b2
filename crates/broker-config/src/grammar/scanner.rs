//! Reads a text by character and tracks line and column.

use std::sync::Arc;

use crate::problem::{Position, Problem};

/// The unread part of a text.
pub(super) struct Scanner<'a> {
    rest: &'a str,
    file: Arc<str>,
    line: u32,
    column: u32,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(file: Arc<str>, text: &'a str) -> Self {
        Self {
            rest: text,
            file,
            line: 1,
            column: 1,
        }
    }

    /// Returns the position of the next character.
    pub(super) fn at(&self) -> Position {
        Position {
            file: Arc::clone(&self.file),
            line: self.line,
            column: self.column,
        }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    /// Consumes the character if it is the next one. Returns whether it was.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Consumes and returns characters while `wanted` accepts them.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let before = self.rest;
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
        &before[..before.len() - self.rest.len()]
    }

    /// Skips blanks within a line.
    pub(super) fn skip_blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// Skips a comment up to the end of its line, if there is one.
    pub(super) fn skip_comment(&mut self) {
        if self.rest.starts_with('#') || self.rest.starts_with("//") {
            self.take_while(|c| !is_line_end(c));
        }
    }

    /// Skips white space, line ends and comments.
    pub(super) fn skip_space(&mut self) {
        let mut before = usize::MAX;
        while self.rest.len() < before {
            before = self.rest.len();
            self.take_while(char::is_whitespace);
            self.skip_comment();
        }
    }

    /// Returns a problem at the next character.
    pub(super) fn problem(&self, text: impl Into<String>) -> Problem {
        self.at().problem(text)
    }
}

/// Returns whether the character may separate words of a line.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Returns whether the character ends a line.
pub(super) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Returns whether the character ends a string without quotes.
pub(super) fn ends_word(c: char) -> bool {
    is_blank(c) || is_line_end(c) || matches!(c, ',' | ';' | ']' | '}')
}
