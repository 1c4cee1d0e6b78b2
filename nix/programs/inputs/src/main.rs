//! Makes what programs are measured on: `inputs json` and `inputs picture` print a file, `inputs folders FOLDER` makes a tree.
//! They are the same each time.

mod picture;
mod random;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use random::Random;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = BufWriter::new(io::stdout().lock());
    let made = match arguments[..] {
        ["json"] => json(output),
        ["picture"] => picture::write(output),
        ["folders", folder] => folders(Path::new(folder)),
        _ => {
            eprintln!("usage: inputs json | picture | folders FOLDER");
            return ExitCode::from(2);
        }
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inputs: {error}");
            ExitCode::FAILURE
        }
    }
}

/// As they stand in JSON.
const WORDS: &[&str] = &[
    "allocator",
    "böhmisch",
    "cache",
    "delta",
    "event",
    "frame",
    "garden",
    "hash",
    "index",
    "journal",
    "kernel",
    "ledger",
    "message",
    "naïve",
    "offset",
    r#"\"quoted\""#,
];

/// Records as a service logs them, one a line.
fn json(mut output: impl Write) -> io::Result<()> {
    let mut random = Random::new();
    for id in 0..200_000 {
        let name = words(&mut random, 3);
        let active = random.below(2) == 0;
        let (whole, cents) = (random.below(100_000), random.below(100));
        let count = random.below(6);
        let tags: Vec<_> = (0..count)
            .map(|_| format!("\"{}\"", random.choose(WORDS)))
            .collect();
        let tags = tags.join(",");
        let note = match random.below(4) {
            0 => "null".to_owned(),
            _ => format!("\"{}\"", words(&mut random, 15)),
        };
        let at = 1_700_000_000 + random.below(10_000_000);
        writeln!(
            output,
            r#"{{"id":{id},"user":{{"name":"{name}","active":{active},"balance":{whole}.{cents:02}}},"tags":[{tags}],"note":{note},"at":{at}}}"#
        )?;
    }
    output.flush()
}

fn words(random: &mut Random, at_most: usize) -> String {
    let count = 1 + random.below(at_most);
    let words: Vec<_> = (0..count).map(|_| random.choose(WORDS)).collect();
    words.join(" ")
}

/// Many empty files, in folders of folders.
fn folders(folder: &Path) -> io::Result<()> {
    let mut random = Random::new();
    for outer in 0..40 {
        for inner in 0..40 {
            let folder = folder.join(format!("folder-{outer}/{inner}"));
            fs::create_dir_all(&folder)?;
            for file in 0..=random.below(100) {
                let ending = random.choose(&["c", "md", "rs", "txt"]);
                File::create(folder.join(format!("file-{file}.{ending}")))?;
            }
        }
    }
    Ok(())
}
