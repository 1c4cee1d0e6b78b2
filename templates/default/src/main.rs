//! `words FILE…` prints the words of the files and how often each occurs.

use std::io::{self, Write};
use std::process::ExitCode;

fn run() -> Result<(), String> {
    let mut text = String::new();
    for path in std::env::args_os().skip(1) {
        let shown = path.display();
        text += &std::fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
        text.push('\n');
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (word, times) in words::count(&text) {
        writeln!(out, "{times}\t{word}").map_err(|error| format!("standard output: {error}"))?;
    }
    out.flush()
        .map_err(|error| format!("standard output: {error}"))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("words: {error}");
            ExitCode::FAILURE
        }
    }
}
