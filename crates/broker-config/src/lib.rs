//! nats-server's configuration files, as far as Broker supports them.
//!
//! [`load`] reads a file in two steps: its text becomes a tree of maps, lists and values
//! (`grammar`), and the tree becomes [`Options`] (`options`). An option that Broker does not
//! support is an error that names it; an option that makes no difference is a warning. The parser
//! stops at the first syntax error; errors of options are collected.
//!
//! Where nats-server and its documentation differ, this crate follows the server, version 2.10.
//! Unlike nats-server, it rejects likely mistakes: a block without an end, a key without a value, a
//! number with an unknown suffix, and circular includes or environment variables.

#![forbid(unsafe_code)]

#[cfg(test)]
mod corpus;
mod grammar;
mod options;
mod problem;
mod secret;
mod sources;

// The tests include the fuzz target, which refers to this crate by its name.
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

/// The result of reading a configuration.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The options.
    pub options: Options,
    /// Options that have no effect, or a different one than expected.
    pub warnings: Vec<Problem>,
}

/// Reads a file, its includes, and the environment variables that it refers to.
///
/// Options of `ignored` that Broker does not have are warnings instead of errors. It holds
/// names such as `leafnodes.listen`, for which [`can_be_ignored`] is true.
///
/// # Errors
///
/// All errors of the file, or the first syntax error.
pub fn load(path: &Path, ignored: &[String]) -> Result<Loaded, Problems> {
    load_from(path, &Sources::system(), ignored)
}

/// Same as [`load`], with files and variables from `sources`.
///
/// # Errors
///
/// All errors of the file, or the first syntax error.
pub fn load_from(
    path: &Path,
    sources: &Sources<'_>,
    ignored: &[String],
) -> Result<Loaded, Problems> {
    let map = grammar::parse(path, sources).map_err(Problems::one)?;
    options::read(path, &map, sources, ignored)
}

/// Same as [`load`] for a text, without includes and environment variables. Errors show `name` as
/// the file.
///
/// # Errors
///
/// All errors of the text, or the first syntax error.
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
