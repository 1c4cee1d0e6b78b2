//! The subcommands: arguments in, exit code out.

pub(crate) mod info;
pub(crate) mod serve;
