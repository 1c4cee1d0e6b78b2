//! The whole program, with scripts instead of benchmarks.

mod interrupt;
mod library;
mod measuring;
mod programs;
mod refusals;
mod stage;
mod under_load;
