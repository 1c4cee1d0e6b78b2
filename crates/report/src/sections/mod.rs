//! The sections, each as data: its rows, its columns, its measures and tables, and how a cell is measured.

pub(crate) mod allocations;
pub(crate) mod benchmarks;
pub(crate) mod broker;
pub(crate) mod criterion;
pub(crate) mod libc;
pub(crate) mod programs;
pub(crate) mod resources;
mod scenario;
mod server;
