//! Snapshots of all texts that users see: `help.txt` holds the output of each `--help`, and
//! `messages.txt` holds every string of two words or more in Broker's code, which includes all
//! errors and log lines.
//!
//! After a text has changed, update the snapshots and read the difference:
//! `UPDATE_TEXTS=1 cargo test -p broker-cli texts`.

mod strings;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::Cli;
use strings::strings;

/// Compares a text with the file, or writes the file if the variable is set.
fn check(name: &str, text: &str) {
    let path = Path::new("src/texts").join(name);
    if std::env::var_os("UPDATE_TEXTS").is_some() {
        fs::write(&path, text).expect("the file can be written");
        return;
    }
    let kept = fs::read_to_string(&path).expect("the file is there");
    let changed = kept.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        kept == text,
        "{name} is not what the code says, first at {changed:?}: run `UPDATE_TEXTS=1 cargo test -p broker-cli texts` and read the difference"
    );
}

/// Collects the Rust files below a folder, sorted, except those in folders of tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        if path.is_dir() {
            if !matches!(name, Some("tests" | "texts" | "corpus")) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns whether the file is a module that only tests use.
fn is_of_tests(file: &Path, all: &[(PathBuf, String)]) -> bool {
    let is_mod = file.file_stem().is_some_and(|stem| stem == "mod");
    let module = if is_mod { file.parent() } else { Some(file) };
    let module = module.and_then(|path| Some((path.parent()?, path.file_stem()?.to_str()?)));
    let Some((folder, name)) = module else {
        return false;
    };
    let parents = [
        folder.join("lib.rs"),
        folder.join("mod.rs"),
        folder.with_extension("rs"),
    ];
    let mut parents = all.iter().filter(|(path, _)| parents.contains(path));
    let of_tests = parents.any(|(_, code)| {
        let declared = format!("mod {name};");
        let mut lines = code.lines().scan("", |before, line| {
            let pair = (*before, line);
            *before = line;
            Some(pair)
        });
        lines.any(|(before, line)| {
            line.ends_with(&declared) && before.starts_with("#[cfg(") && before.contains("test")
        })
    });
    of_tests || (folder.file_name().is_some_and(|name| name != "src") && is_of_tests(folder, all))
}

#[test]
fn help_is_as_in_its_file() {
    let mut command = Cli::command();
    command.build();
    let mut text = String::new();
    writeln!(text, "$ broker --help\n{}", command.render_long_help()).expect("a string");
    for command in command.get_subcommands_mut() {
        if command.get_name() != "help" {
            let help = command.render_long_help();
            writeln!(text, "$ broker {} --help\n{help}", command.get_name()).expect("a string");
        }
    }
    check("help.txt", &text);
}

#[test]
fn messages_are_as_in_their_file() {
    let mut paths = Vec::new();
    let crates = fs::read_dir("..").expect("the folder of the crates");
    let mut crates: Vec<_> = crates
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    crates.sort();
    for name in crates {
        if name.to_string_lossy().starts_with("broker-") {
            sources(&Path::new("..").join(name).join("src"), &mut paths);
        }
    }
    let read = |path: &PathBuf| (path.clone(), fs::read_to_string(path).expect("text"));
    let all: Vec<_> = paths.iter().map(read).collect();
    let mut text = String::new();
    for (path, code) in &all {
        if is_of_tests(path, &all) {
            continue;
        }
        let found = strings(code);
        if !found.is_empty() {
            writeln!(
                text,
                "{}",
                path.strip_prefix("..").expect("it is there").display()
            )
            .expect("a string");
            for string in found {
                writeln!(text, "    {string}").expect("a string");
            }
        }
    }
    assert!(
        text.contains("no credentials are configured"),
        "log lines are found"
    );
    check("messages.txt", &text);
}
