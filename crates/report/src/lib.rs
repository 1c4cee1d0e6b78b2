//! Measures builds of the same benchmarks against each other.
//!
//! Data flows one way: a [`matrix`] of variants is measured by a [`session`],
//! which yields [`results`]; beside it, servers are put under load
//! ([`program`]), and the parts of the C library are timed ([`library`]). All of
//! it is written as Markdown ([`markdown`]), JSON and SVG ([`plot`]) into a folder
//! ([`output`]). Linux only, as what a process has used is read from `/proc`.

#![forbid(unsafe_code)]

pub mod benchmarks;
pub mod child;
pub mod criterion;
pub mod date;
pub mod format;
pub mod groups;
pub mod interrupt;
pub mod launcher;
pub mod library;
pub mod load;
pub mod markdown;
pub mod matrix;
pub mod output;
pub mod plot;
pub mod program;
pub mod resources;
pub mod results;
#[cfg(test)]
mod sample;
pub mod session;
pub mod statistics;
pub mod strace;
pub mod system;
