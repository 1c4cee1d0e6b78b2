//! The grammar: parses a file, its includes and its variables to a tree.
//!
//! The grammar is nats-server's (conf/lex.go and conf/parse.go). A file is a list of keys with
//! values; a value is a string, a number, a boolean, a date, a list or a map.

mod numbers;
mod outside;
mod parser;
mod scanner;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;
use std::fmt;

pub(crate) use parser::parse;

use crate::problem::Position;

/// Deepest nesting of maps and lists.
const MAX_DEPTH: usize = 64;
/// Longest chain of includes, and of environment variables that refer to each other.
const MAX_CHAIN: usize = 16;
/// Most memory for a tree in bytes, by [`Value::cost`]. A map counts each time a variable refers to
/// it, so a short file cannot grow without bound.
const MAX_COST: usize = 128 << 20;
/// Cost of a file besides its text, which bounds the number of includes.
const FILE_COST: usize = 4096;
/// Cost of a value besides its text: about what the value, its key and its position take.
const VALUE_COST: usize = 256;

/// A value and its position.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) at: Position,
}

/// The content of a value.
#[derive(Clone)]
pub(crate) enum Kind {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Date(String),
    List(Vec<Value>),
    Map(Map),
}

// The value may be a secret.
impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Kind {
    /// Returns the type's name for error messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number with a point",
            Self::Boolean(_) => "a boolean",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Value {
    /// Returns the approximate size in bytes.
    pub(crate) fn cost(&self) -> usize {
        VALUE_COST
            + match &self.kind {
                Kind::Text(text) | Kind::Date(text) => text.len(),
                Kind::Integer(_) | Kind::Float(_) | Kind::Boolean(_) => 0,
                Kind::List(values) => values.iter().map(Self::cost).sum(),
                Kind::Map(map) => {
                    let entries = map.entries.iter();
                    entries.map(|e| e.key.len() + e.value.cost()).sum()
                }
            }
    }

    /// Returns the nesting depth of maps and lists.
    fn depth(&self) -> usize {
        let inner = match &self.kind {
            Kind::List(values) => values.iter().map(Self::depth).max(),
            Kind::Map(map) => map.entries.iter().map(|e| e.value.depth()).max(),
            _ => return 0,
        };
        1 + inner.unwrap_or(0)
    }
}

/// Keys and their values, in the order of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The position of the key.
    pub(crate) at: Position,
    pub(crate) value: Value,
    /// Whether a variable refers to the key, which then need not be a known option.
    pub(crate) used: bool,
}

impl Map {
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Sets a key, replacing an equal one.
    fn set(&mut self, entry: Entry) {
        if let Some(&place) = self.places.get(&entry.key) {
            self.entries[place] = entry;
        } else {
            self.places.insert(entry.key.clone(), self.entries.len());
            self.entries.push(entry);
        }
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        let place = *self.places.get(key)?;
        self.entries.get_mut(place)
    }
}
