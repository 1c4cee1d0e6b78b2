//! From the command line to the report.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use report::benchmarks::Executable;
use report::child::{self, RunError};
use report::interrupt::{Interrupt, Signal};
use report::library::{self, LibraryReport};
use report::load::{self, Load};
use report::matrix::{ChoiceError, Matrix, MatrixError, Variant};
use report::output::{Output, OutputError};
use report::program::{self, Kind, Program};
use report::results::{Reading, Report, Settings, VariantReport};
use report::session::Session;
use report::system::{self, System};
use report::{date, groups, markdown, plot, strace};

use crate::arguments::{Arguments, Section};
use crate::progress::Display;

/// The overview's file, without its ending.
const OVERVIEW: &str = "overview";
/// The plot of the program under load, without its ending.
const UNDER_LOAD: &str = "broker";
/// The plot of the C library, without its ending.
const LIBRARY: &str = "libc";
/// What nats-server is called.
const NATS: &str = "nats-server";
/// What the least server is called, by its name and by people.
const LEAST: [&str; 2] = ["least", "least server"];

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {}: {source}; check --matrix", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Matrix { path: PathBuf, source: MatrixError },
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    #[error("there is no executable file {}; check --strace", .0.display())]
    Strace(PathBuf),
    #[error("there is no executable file {}; check --nats-server", .0.display())]
    Nats(PathBuf),
    #[error("no executable tells its groups ({name}: {source}); check the matrix")]
    Groups { name: String, source: RunError },
    #[error("cannot find this program's own executable: {0}; call it by its full path")]
    Own(#[source] io::Error),
    #[error("cannot catch signals: {0}")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("cannot put the report in JSON: {0}; report this as a fault")]
    Json(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Choice(_) | Self::Strace(_) | Self::Nats(_) => 2,
            Self::Groups {
                source: RunError::Interrupted(signal),
                ..
            } => signal.exit_code(),
            _ => 1,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let matrix = read_matrix(&arguments.matrix)?;
    let variants = matrix.choose(&arguments.variants)?;
    let baseline = matrix.baseline(arguments.baseline.as_deref(), &variants)?;
    let strace = find_strace(arguments.strace.as_deref())?;
    let interrupt = Interrupt::catch().map_err(Error::Signals)?;
    let groups = if arguments.wants(Section::Allocations) {
        groups::select(&list(&variants, &interrupt)?, &arguments.groups)?
    } else {
        Vec::new()
    };
    let scenarios = if arguments.wants(Section::Broker) {
        program::select(&arguments.scenarios)?
    } else {
        Vec::new()
    };
    let nats = find_nats_server(arguments.nats_server.as_deref())?;
    let output = Output::prepare(&arguments.output)?;

    let display = Display::new();
    let started = date::now();
    let load = Load::now(&interrupt);
    let mut warnings = load.warnings(system::cpus());
    warnings.extend(load::tuning());
    warnings.extend(left_out(arguments, &matrix));
    for warning in &warnings {
        display.say(&format!("warning: {warning}"));
    }
    // Before they are measured, as after a signal nothing is started any more.
    let described = variants
        .iter()
        .map(|variant| describe(variant, &interrupt))
        .collect();
    let session = Session {
        variants: &variants,
        groups: &groups,
        rounds: arguments.rounds(),
        sampling: arguments.sampling(),
        strace,
        patience: Duration::from_secs(if arguments.quick { 2 } else { 20 }),
        own: std::env::current_exe().map_err(Error::Own)?,
        interrupt: &interrupt,
    };
    let mut results = session.empty();
    let mut signal = session.run(&mut results, |progress| display.show(progress));
    let programs = programs(&variants, nats, matrix.least.clone());
    let loads = matrix
        .generator
        .as_deref()
        .filter(|_| !scenarios.is_empty());
    let program = loads.map(|generator| {
        let session = program::Session {
            programs: &programs,
            baseline: baseline.and_then(|place| {
                let name = &variants[place].name;
                programs.iter().position(|program| program.name == *name)
            }),
            generator,
            scenarios: &scenarios,
            rounds: arguments.rounds(),
            seconds: arguments.seconds(),
            interrupt: &interrupt,
        };
        let mut report = session.empty();
        if signal.is_none() {
            signal = session.run(&mut report, |progress| display.show(progress));
        }
        report.summarise();
        report
    });
    display.clear();
    let library = survey(arguments, &matrix, &display, &interrupt);
    let library = library.unwrap_or_else(|interrupted| {
        signal = Some(interrupted);
        None
    });
    let mut report = Report {
        variants: described,
        complete: signal.is_none(),
        started,
        finished: date::now(),
        settings: Settings {
            rounds: session.rounds,
            sampling: session.sampling,
        },
        baseline: baseline.map(|place| variants[place].name.clone()),
        warnings,
        system: System::describe(load),
        groups: results,
        program,
        library,
    };
    for group in &mut report.groups {
        group.summarise(baseline);
    }
    let folder = output.write(&files(&mut report)?, report.complete)?;
    let place = folder.join("report.md");
    Ok(finish(&display, &report, &place, signal))
}

/// What is asked for and cannot be measured.
fn left_out(arguments: &Arguments, matrix: &Matrix) -> Vec<String> {
    let mut texts = Vec::new();
    if arguments.wants(Section::Broker) && matrix.generator.is_none() {
        let text = "the matrix names no load generator, so that no program is put under load";
        texts.push(text.to_owned());
    }
    if arguments.wants(Section::Libc) && matrix.surveys.is_empty() {
        let text = "the matrix names no surveys, so that no C library is timed";
        texts.push(text.to_owned());
    }
    texts
}

/// Has the parts of the C library timed, if that is asked for and can be done.
fn survey(
    arguments: &Arguments,
    matrix: &Matrix,
    display: &Display,
    interrupt: &Interrupt,
) -> Result<Option<LibraryReport>, Signal> {
    if !arguments.wants(Section::Libc) || matrix.surveys.is_empty() {
        return Ok(None);
    }
    display.say("timing the parts of the C library");
    let rounds = arguments.rounds();
    library::run(&matrix.surveys, rounds, arguments.quick, interrupt).map(Some)
}

fn finish(display: &Display, report: &Report, place: &Path, signal: Option<Signal>) -> ExitCode {
    if let Some(signal) = signal {
        display.say(&format!(
            "ended early; what was measured is in {}",
            place.display()
        ));
        return ExitCode::from(signal.exit_code());
    }
    display.say(&format!("the report is in {}", place.display()));
    match report.failures() {
        (_, 0) => ExitCode::SUCCESS,
        (all, failures) => {
            display.say(&format!(
                "{failures} of {all} measurements failed; their cells say why"
            ));
            ExitCode::FAILURE
        }
    }
}

/// The servers: each variant's program if it has one, nats-server and the least
/// server if they are there.
fn programs(variants: &[Variant], nats: Option<PathBuf>, least: Option<PathBuf>) -> Vec<Program> {
    let brokers = variants.iter().filter_map(|variant| {
        Some(Program {
            name: variant.name.clone(),
            label: variant.label.clone(),
            path: variant.program.clone()?,
            kind: Kind::Broker,
        })
    });
    let nats = nats.map(|path| Program {
        name: NATS.to_owned(),
        label: NATS.to_owned(),
        path,
        kind: Kind::Nats,
    });
    let least = least.map(|path| Program {
        name: LEAST[0].to_owned(),
        label: LEAST[1].to_owned(),
        path,
        kind: Kind::Least,
    });
    brokers.chain(nats).chain(least).collect()
}

fn find_nats_server(asked: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    match asked {
        Some(file) if strace::is_executable(file) => Ok(Some(file.to_owned())),
        Some(file) => Err(Error::Nats(file.to_owned())),
        None => Ok(program::find_nats_server()),
    }
}

fn read_matrix(path: &Path) -> Result<Matrix, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Matrix::parse(&text).map_err(|source| Error::Matrix {
        path: path.to_owned(),
        source,
    })
}

fn find_strace(asked: Option<&Path>) -> Result<Result<PathBuf, String>, Error> {
    match asked {
        Some(file) if strace::is_executable(file) => Ok(Ok(file.to_owned())),
        Some(file) => Err(Error::Strace(file.to_owned())),
        None => Ok(strace::find()
            .ok_or_else(|| "not counted, as there is no strace on PATH (see --strace)".to_owned())),
    }
}

/// The groups, as the first variant that works tells them.
fn list(variants: &[Variant], interrupt: &Interrupt) -> Result<Vec<String>, Error> {
    let mut failure = None;
    for variant in variants {
        match Executable::new(&variant.allocations, interrupt).list() {
            Ok(names) => return Ok(names),
            Err(source) => {
                let name = variant.name.clone();
                let error = Error::Groups { name, source };
                if interrupt.signal().is_some() {
                    return Err(error);
                }
                failure.get_or_insert(error);
            }
        }
    }
    failure.map_or(Ok(Vec::new()), Err)
}

fn describe(variant: &Variant, interrupt: &Interrupt) -> VariantReport {
    let size = |path: &Path| match fs::metadata(path) {
        Ok(data) => Reading::of(strace::as_number(data.len())),
        Err(error) => Reading::none(error.to_string()),
    };
    let no_program = "the matrix names no program";
    let program = variant.program.as_deref();
    let info = program.map(|program| {
        let mut command = Command::new(program);
        command.args(["info", "--json"]);
        let ended = child::run(&mut command, interrupt).map_err(|error| error.to_string())?;
        serde_json::from_str(&ended.stdout).map_err(|error| format!("no JSON: {error}"))
    });
    let (info, info_note) = match info {
        Some(Ok(info)) => (Some(info), None),
        Some(Err(why)) => (None, Some(why)),
        None => (None, Some(no_program.to_owned())),
    };
    VariantReport {
        name: variant.name.clone(),
        label: variant.label.clone(),
        allocations: variant.allocations.clone(),
        program: variant.program.clone(),
        allocations_bytes: size(&variant.allocations),
        program_bytes: program.map_or_else(|| Reading::none(no_program), size),
        info,
        info_note,
    }
}

/// All files of the report, by their names. Fills in those of the plots.
fn files(report: &mut Report) -> Result<Vec<(String, String)>, Error> {
    let mut files = Vec::new();
    let mut taken = [OVERVIEW, UNDER_LOAD, LIBRARY].map(str::to_owned).to_vec();
    let drawn: Vec<Option<String>> = report
        .groups
        .iter()
        .map(|group| plot::bars(report, group))
        .collect();
    for (group, picture) in report.groups.iter_mut().zip(drawn) {
        if let Some(picture) = picture {
            let stem = groups::file_stem(&group.name, &taken);
            let name = format!("{stem}.svg");
            taken.push(stem);
            group.plot = Some(name.clone());
            files.push((name, picture));
        }
    }
    if let Some(program) = &mut report.program
        && let Some(picture) = plot::program(program)
    {
        let name = format!("{UNDER_LOAD}.svg");
        program.plot = Some(name.clone());
        files.push((name, picture));
    }
    if let Some(library) = &mut report.library
        && let Some(picture) = library.comparison.as_ref().and_then(plot::library)
    {
        let name = format!("{LIBRARY}.svg");
        library.plot = Some(name.clone());
        files.push((name, picture));
    }
    let overview = plot::overview(report).map(|picture| (format!("{OVERVIEW}.svg"), picture));
    let text = markdown::report(report, overview.as_ref().map(|(name, _)| name.as_str()));
    files.extend(overview);
    files.push(("report.md".to_owned(), text));
    files.push((
        "report.json".to_owned(),
        serde_json::to_string_pretty(report)? + "\n",
    ));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_program_is_no_server() {
        let variant = |name: &str, program: Option<&str>| Variant {
            name: name.to_owned(),
            label: name.to_owned(),
            allocations: name.into(),
            program: program.map(Into::into),
        };
        let variants = [variant("floor", None), variant("broker", Some("b"))];
        let servers = programs(&variants, Some("n".into()), Some("l".into()));
        let names: Vec<_> = servers.iter().map(|server| &*server.name).collect();
        assert_eq!(names, ["broker", NATS, LEAST[0]]);
    }
}
