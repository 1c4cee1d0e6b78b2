//! The subcommands: arguments in, exit code out.

pub(crate) mod bench;
pub(crate) mod info;
mod log;
pub(crate) mod serve;
