//! One subcommand each: its arguments, and what it does with them.

pub(crate) mod bench;
