//! Well-known programs, each with a fixed command line and a fixed input.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::Command;

use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::json;

use crate::child::{self, RunError};
use crate::format;
use crate::launcher;
use crate::matrix::Foreign;
use crate::section::{AT_MOST, Better, Cell, Column, Measure, Ratios, Row, Section, Table};
use crate::session::{Kind, Session, Source, Step};
use crate::statistics::as_number;
use crate::text::{escape, line};

/// The placeholder for the input in the arguments.
const INPUT: &str = "{input}";

const MEASURES: &[Measure] = &[
    Measure::new("wall", "time (ms)", "s", milliseconds).compared(Better::Less, Ratios::Rounds),
    Measure::new("cpu", "CPU time (ms)", "s", milliseconds).compared(Better::Less, Ratios::Rounds),
    Measure::new("peak_rss", "peak RSS (MiB)", "bytes", format::mebibytes)
        .compared(Better::Less, Ratios::Rounds),
    Measure::new("size", "size of the file (MiB)", "bytes", format::mebibytes)
        .compared(Better::Less, Ratios::Medians),
];

fn milliseconds(seconds: f64) -> String {
    format::milliseconds(seconds * 1e9)
}

/// Returns the section with sizes only. The first column is the baseline.
pub(crate) fn section(programs: &[Foreign], columns: Vec<Column>, rounds: u32) -> Section {
    let row = |program: &Foreign| {
        let mut row = Row::new(
            &program.name,
            &["wall", "cpu", "peak_rss", "size"],
            columns.len(),
        );
        for (cell, column) in row.cells.iter_mut().zip(&columns) {
            match program.builds.get(&column.name) {
                None => cell.left_out = true,
                Some(build) => size(build, cell),
            }
        }
        row
    };
    Section {
        name: "programs",
        heading: format!(
            "## Programs\n\nEach build of a program does the same work in a new process, and must print the same as the \
             others. Medians of {rounds} interleaved rounds after one warm-up round, with their range in parentheses, then \
             the median of each round's ratio to {}.",
            columns
                .first()
                .map_or_else(String::new, |column| escape(column.title()))
        ),
        body: Some(command_lines(programs)),
        settings: json!({"programs": programs}),
        rounds,
        rows: programs.iter().map(row).collect(),
        columns,
        references: vec![0],
        measures: MEASURES,
        tables: vec![
            Table::new(
                "### Time\n\nFrom the start of the process to its end, in ms. Empty: the program has no such build.",
                "program",
                &["wall"],
            ),
            Table::new(RESOURCES, "program, measure", &["cpu", "peak_rss", "size"]),
        ],
        file: "programs",
        ..Section::default()
    }
}

const RESOURCES: &str = "### CPU time, memory, size\n\n*CPU time* is that of all threads, in user and kernel mode. *Peak RSS* is \
    ru_maxrss; \"≤\" marks an upper bound: the peak is not above that of the process that started it.";

/// Returns each program's command line.
fn command_lines(programs: &[Foreign]) -> String {
    let mut text = String::new();
    for program in programs {
        let (name, about) = (escape(&program.name), escape(&program.about));
        let arguments = with_input(program, INPUT).join(" ");
        let comma = if about.is_empty() { "" } else { ", " };
        let commands = if arguments.is_empty() {
            "no arguments".to_owned()
        } else {
            format!("`{arguments}`")
        };
        line(&mut text, &format!("- {name}{comma}{about}: {commands}"));
    }
    text
}

fn size(build: &Path, cell: &mut Cell) {
    match fs::metadata(build) {
        Ok(data) => cell.push("size", 1, as_number(data.len())),
        Err(error) => cell.note("size", error.to_string()),
    }
}

#[derive(Debug)]
pub(crate) struct Programs<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) all: Vec<Foreign>,
    /// The expected output of each program: the first build's that succeeded, and its column.
    pub(crate) printed: BTreeMap<usize, (usize, Printed)>,
}

/// A hash of a program's output, and its length in bytes.
type Printed = (u64, u64);

impl Source for Programs<'_> {
    fn steps(&self, section: &Section) -> Vec<Step> {
        Step::once(section, "warm-up", 1.0)
            .chain(Step::rounds(section, 1.0))
            .collect()
    }

    fn take(&mut self, step: &Step, section: &mut Section) -> Result<(), RunError> {
        let (Some(row), Some(column)) = (step.row, step.column) else {
            return Ok(());
        };
        let program = &self.all[row];
        let Some(build) = program.builds.get(&section.columns[column].name) else {
            return Ok(());
        };
        let (used, printed) = self.run(program, build)?;
        let (first, expected) = *self.printed.entry(row).or_insert((column, printed));
        if expected != printed {
            return Err(RunError::NoResult(format!(
                "its output differs from that of {} ({} bytes against {})",
                section.columns[first].title(),
                printed.1,
                expected.1
            )));
        }
        let Kind::Round(round) = step.kind else {
            return Ok(());
        };
        let cell = &mut section.rows[row].cells[column];
        cell.push("wall", round, used.wall);
        cell.push("cpu", round, used.cpu);
        cell.push("peak_rss", round, as_number(used.peak_rss));
        if !used.exact {
            cell.note("peak_rss", AT_MOST);
        }
        Ok(())
    }
}

impl Programs<'_> {
    fn run(&self, program: &Foreign, build: &Path) -> Result<(launcher::Used, Printed), RunError> {
        if let Some(input) = program.input.as_deref().filter(|input| !input.exists()) {
            let why = format!("there is no input {}; check the matrix", input.display());
            return Err(RunError::NoResult(why));
        }
        let home = tempfile::tempdir().map_err(RunError::Watch)?;
        let result = tempfile::NamedTempFile::new().map_err(RunError::Watch)?;
        // In memory, so that neither a disk nor a reading process affects the measurement.
        let output = memfd_create("output", MemfdFlags::CLOEXEC);
        let mut output = File::from(output.map_err(|error| RunError::Watch(error.into()))?);
        let wrapper = launcher::wrapper(&self.session.own, result.path());
        let mut command = Command::new(&wrapper[0]);
        command
            .args(&wrapper[1..])
            .arg(build)
            .args(arguments(program));
        // The environment is the same for all builds, without the caller's settings.
        command
            .env_clear()
            .env("HOME", home.path())
            .env("LC_ALL", "C")
            .current_dir(home.path());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        child::run_into(&output, child::LIMIT, &mut command, &self.session.interrupt)?;
        let used = launcher::read(result.path())?;
        let printed = hash(&mut output).map_err(RunError::Watch)?;
        Ok((used, printed))
    }
}

/// Returns the arguments of a run.
fn arguments(program: &Foreign) -> Vec<String> {
    let input = program.input.as_deref().unwrap_or(Path::new(""));
    with_input(program, &input.display().to_string())
}

/// Returns the arguments with the input in its place, or at the end if there is no placeholder.
fn with_input(program: &Foreign, input: &str) -> Vec<String> {
    let mut arguments = program.arguments.clone();
    if program.input.is_some() {
        if !arguments.iter().any(|one| one.contains(INPUT)) {
            arguments.push(INPUT.to_owned());
        }
        for one in &mut arguments {
            *one = one.replace(INPUT, input);
        }
    }
    arguments
}

/// Returns a hash of the whole file and its length, for comparison within this process.
fn hash(file: &mut File) -> io::Result<Printed> {
    file.rewind()?;
    let mut hasher = DefaultHasher::new();
    let mut bytes = 0;
    let mut part = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            return Ok((hasher.finish(), bytes));
        }
        hasher.write(&part[..read]);
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;

    fn program(arguments: &[&str], input: Option<&str>) -> Foreign {
        Foreign {
            name: "search".to_owned(),
            about: String::new(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            input: input.map(Into::into),
            builds: [("glibc".to_owned(), PathBuf::from("/glibc"))].into(),
        }
    }

    #[test]
    fn the_input_goes_where_it_belongs() {
        for (given, input, expected) in [
            (&["-n", "a"][..], Some("/in"), &["-n", "a", "/in"][..]),
            (&["--in={input}", "-n"], Some("/in"), &["--in=/in", "-n"]),
            (&["{input}", "x"], None, &["{input}", "x"]),
            (&[], None, &[]),
        ] {
            assert_eq!(arguments(&program(given, input)), expected);
        }
    }

    #[test]
    fn a_report_says_what_was_run() {
        let mut one = program(&[], None);
        assert_eq!(command_lines(&[one.clone()]), "- search: no arguments\n");
        one.about = "1.0 <beta>".to_owned();
        one.arguments = vec!["-n".to_owned(), r"\w_\w".to_owned()];
        one.input = Some("/nowhere".into());
        let expected = "- search, 1.0 \\<beta>: `-n \\w_\\w {input}`\n";
        assert_eq!(command_lines(&[one]), expected);
    }

    #[test]
    fn contents_are_told_apart() {
        let hashed = |text: &[u8]| {
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(text).expect("written");
            hash(&mut file).expect("read")
        };
        let long = vec![b'a'; 200_000];
        let mut other = long.clone();
        other[199_999] = b'b';
        assert_eq!(hashed(&long), hashed(&long));
        assert_ne!(hashed(&long).0, hashed(&other).0);
        assert_eq!(hashed(&long).1, 200_000);
    }

    #[test]
    fn a_build_that_is_not_there_is_left_out() {
        let column = |name: &str| Column {
            name: name.to_owned(),
            label: name.to_owned(),
            shipped: false,
        };
        let section = section(
            &[program(&[], None)],
            vec![column("glibc"), column("static")],
            1,
        );
        let cells = &section.rows[0].cells;
        assert!(cells[1].left_out && !cells[0].left_out);
        assert!(cells[0].readings["size"].note.is_some(), "it is no file");
    }
}
