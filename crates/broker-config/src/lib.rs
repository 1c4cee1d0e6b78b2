//! The configuration files of nats-server, as far as Broker has what they say.
//!
//! [`load`] reads a file in two steps: its text becomes a tree of maps, lists and values
//! (`grammar`), and the tree becomes [`Options`] (`options`). What a file says that Broker
//! cannot do is an error that names it; what makes no difference is a warning. An error of
//! the grammar is the only one that is reported, while those of options are collected.
//!
//! Where nats-server and its documentation differ, this follows the server, of version
//! 2.10. It differs where nats-server takes what is most likely a mistake: a block without
//! its end, a key without a value, a number with an unknown suffix, includes or variables
//! of the environment that lead back to themselves.

#![forbid(unsafe_code)]

#[cfg(test)]
mod corpus;
mod grammar;
mod options;
mod problem;
mod secret;
mod sources;

// What the fuzzer runs is a test as well, and calls this crate by its name.
#[cfg(test)]
extern crate self as broker_config;

use std::path::Path;

pub use options::{
    Authorization, HandshakeFirst, LeafRemote, LeafRemoteTls, Options, Tls, TlsVersion, WebSocket,
    can_be_ignored,
};
pub use problem::{Position, Problem, Problems};
pub use secret::Secret;
pub use sources::{MAX_FILE, Sources};

/// What a configuration says.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is set.
    pub options: Options,
    /// What is set without an effect, and what has another one than it may seem.
    pub warnings: Vec<Problem>,
}

/// Reads a file, those that it includes, and the variables of the environment that it
/// refers to.
///
/// Options of `ignored` that Broker does not have are warnings instead of errors. It holds
/// names such as `leafnodes.listen`, for which [`can_be_ignored`] is true.
///
/// # Errors
///
/// All that is wrong with it, or the first thing that breaks the grammar.
pub fn load(path: &Path, ignored: &[String]) -> Result<Loaded, Problems> {
    load_from(path, &Sources::system(), ignored)
}

/// As [`load`], with files and variables from elsewhere.
///
/// # Errors
///
/// All that is wrong with the file, or the first thing that breaks the grammar.
pub fn load_from(
    path: &Path,
    sources: &Sources<'_>,
    ignored: &[String],
) -> Result<Loaded, Problems> {
    let map = grammar::parse(path, sources).map_err(Problems::one)?;
    options::read(path, &map, sources, ignored)
}

/// As [`load`], of a text without includes and variables of the environment: errors call
/// it by the name.
///
/// # Errors
///
/// All that is wrong with the text, or the first thing that breaks the grammar.
pub fn parse(text: &[u8], name: &str) -> Result<Loaded, Problems> {
    let read = |path: &Path| {
        if path == Path::new(name) {
            Ok(text.to_vec())
        } else {
            Err(std::io::ErrorKind::NotFound.into())
        }
    };
    let sources = Sources {
        read: &read,
        variable: &|_| None,
    };
    load_from(Path::new(name), &sources, &[])
}
