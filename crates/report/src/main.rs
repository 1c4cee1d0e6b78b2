//! Measures builds of the same benchmarks and programs against each other, and writes a report with tables and plots.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    report::main()
}
