//! The sections, each as data: rows, columns, measures, tables, and how to measure a cell.

pub(crate) mod allocations;
pub(crate) mod benchmarks;
pub(crate) mod broker;
pub(crate) mod criterion;
pub(crate) mod libc;
pub(crate) mod programs;
pub(crate) mod resources;
mod scenario;
mod server;
