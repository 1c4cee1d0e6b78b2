//! Runs the program, from the command line to the report.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::child::{self, RunError};
use crate::interrupt::{Interrupt, Signal};
use crate::load::{self, Load};
use crate::matrix::{ChoiceError, Matrix, MatrixError, Variant, choose};
use crate::output::{Output, OutputError};
use crate::report::{Report, VariantReport};
use crate::section::Section as Cells;
use crate::sections::allocations::{self, Benchmarks};
use crate::sections::benchmarks::{self, Executable};
use crate::sections::broker::{self, Loads, Route};
use crate::sections::libc::{self, Survey};
use crate::sections::programs::{self, Programs};
use crate::session::{self, Session, Source};
use crate::system::{self, System};
use crate::{chart, date, markdown};

use crate::arguments::{Arguments, Section};
use crate::progress::Display;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {}: {source}; check --matrix", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Matrix { path: PathBuf, source: MatrixError },
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    #[error("{} is not an executable file; check {flag}", path.display())]
    Tool { path: PathBuf, flag: &'static str },
    #[error("no executable lists its groups ({name}: {source}); check the matrix")]
    Groups { name: String, source: RunError },
    #[error("cannot find this program's own executable: {0}; call it by its full path")]
    Own(#[source] io::Error),
    #[error("cannot catch signals: {0}")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("cannot write the report as JSON: {0}; report this as a bug")]
    Json(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Choice(_) | Self::Tool { .. } => 2,
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
    let variants = &matrix.choose(&arguments.variants)?;
    let session = &Session {
        variants,
        baseline: matrix.baseline(arguments.baseline.as_deref(), variants)?,
        rounds: arguments.rounds(),
        quick: arguments.quick,
        own: std::env::current_exe().map_err(Error::Own)?,
        interrupt: Interrupt::catch().map_err(Error::Signals)?,
    };
    let (planned, left_out) = plan(arguments, &matrix, session)?;
    let output = Output::prepare(&arguments.output)?;

    let display = Display::new();
    let started = date::now();
    let load = Load::now(&session.interrupt);
    let mut warnings = load.warnings(system::cpus());
    warnings.extend(load::tuning());
    warnings.extend(left_out);
    for warning in &warnings {
        display.say(&format!("warning: {warning}"));
    }
    // Before the measurement, because nothing is started after a signal.
    let described = variants
        .iter()
        .map(|variant| describe(variant, &session.interrupt))
        .collect();
    let mut sections = Vec::new();
    let mut signal = None;
    for (mut section, mut source) in planned {
        signal = signal.or_else(|| {
            session::run(&mut section, &mut *source, |progress| {
                display.show(progress);
            })
        });
        sections.push(section);
    }
    display.clear();
    let mut report = Report {
        complete: signal.is_none(),
        started,
        finished: date::now(),
        quick: session.quick,
        baseline: session.baseline.map(|place| variants[place].name.clone()),
        warnings,
        system: System::describe(load),
        variants: described,
        sections,
    };
    let folder = output.write(&files(&mut report)?, report.complete)?;
    Ok(finish(&display, &report, &folder.join("report.md"), signal))
}

/// A section, and what measures it.
type Planned<'a> = (Cells, Box<dyn Source + 'a>);

const NO_HUB: &str = "there is no nats-server on PATH to be the hub, so no leaf node is put under load (see --nats-server)";

/// Returns the selected sections, and warnings about those that cannot be measured.
fn plan<'a>(
    arguments: &Arguments,
    matrix: &'a Matrix,
    session: &'a Session<'a>,
) -> Result<(Vec<Planned<'a>>, Vec<String>), Error> {
    let strace = find("strace", arguments.strace.as_deref(), "--strace")?;
    let nats = find(
        "nats-server",
        arguments.nats_server.as_deref(),
        "--nats-server",
    )?;
    let mut scenarios = broker::select(&arguments.scenarios)?;
    let programs = choose(
        "program",
        &matrix.programs,
        |one| &one.name,
        &arguments.programs,
        "",
    )?;
    let mut planned: Vec<Planned<'a>> = Vec::new();
    let mut left_out = Vec::new();
    if arguments.wants(Section::Broker) && nats.is_none() {
        let all = scenarios.len();
        scenarios.retain(|one| one.route == Route::Local);
        if scenarios.len() < all {
            left_out.push(NO_HUB.to_owned());
        }
    }
    let mut missing = |what: &str| left_out.push(format!("the matrix names no {what}"));
    if arguments.wants(Section::Allocations) {
        let listed = list(session.variants, &session.interrupt)?;
        let groups = benchmarks::select(&listed, &arguments.groups)?;
        let sampling = arguments.sampling();
        let strace = strace.ok_or_else(|| {
            "not counted, because there is no strace on PATH (see --strace)".to_owned()
        });
        let section = allocations::section(session, &groups, sampling);
        planned.push((
            section,
            Box::new(Benchmarks {
                session,
                sampling,
                strace,
            }),
        ));
    }
    match &matrix.generator {
        _ if !arguments.wants(Section::Broker) => {}
        None => missing("load generator, so no server is put under load"),
        Some(generator) => {
            let loads = Loads {
                session,
                programs: broker::programs(session.variants, nats, matrix.least.clone()),
                generator,
                scenarios,
                seconds: arguments.seconds(),
                rates: BTreeMap::new(),
            };
            planned.push((broker::section(&loads), Box::new(loads)));
        }
    }
    match &matrix.surveys[..] {
        _ if !arguments.wants(Section::Libc) => {}
        [] => missing("surveys, so the C library is not timed"),
        builds => {
            let section = libc::section(builds, session.rounds);
            planned.push((
                section,
                Box::new(Survey {
                    session,
                    builds,
                    found: Vec::new(),
                }),
            ));
        }
    }
    match programs {
        _ if !arguments.wants(Section::Programs) => {}
        all if all.is_empty() => missing("programs, so no well-known programs are timed"),
        all => {
            let section = programs::section(&all, matrix.build_columns(), session.rounds);
            planned.push((
                section,
                Box::new(Programs {
                    session,
                    all,
                    printed: BTreeMap::new(),
                }),
            ));
        }
    }
    Ok((planned, left_out))
}

fn finish(display: &Display, report: &Report, place: &Path, signal: Option<Signal>) -> ExitCode {
    if let Some(signal) = signal {
        display.say(&format!(
            "stopped early; the results so far are in {}",
            place.display()
        ));
        return ExitCode::from(signal.exit_code());
    }
    display.say(&format!("the report is in {}", place.display()));
    match report.failures() {
        (_, 0) => ExitCode::SUCCESS,
        (all, failures) => {
            display.say(&format!(
                "{failures} of {all} measurements failed; the reasons are in their cells"
            ));
            ExitCode::FAILURE
        }
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

/// Returns the requested executable, or the one on `PATH` if there is one.
fn find(name: &str, asked: Option<&Path>, flag: &'static str) -> Result<Option<PathBuf>, Error> {
    match asked {
        Some(file) if child::is_executable(file) => Ok(Some(file.to_owned())),
        Some(file) => Err(Error::Tool {
            path: file.to_owned(),
            flag,
        }),
        None => Ok(child::find(name)),
    }
}

/// Returns the groups, as the first working variant lists them.
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
    let size = |path: &Path| fs::metadata(path).ok().map(|data| data.len());
    let program = variant.program.as_deref();
    let info = program
        .ok_or("the matrix names no program".to_owned())
        .and_then(|program| {
            let mut command = Command::new(program);
            command.args(["info", "--json"]);
            let ended = child::run(&mut command, interrupt).map_err(|error| error.to_string())?;
            serde_json::from_str(&ended.stdout).map_err(|error| format!("not JSON: {error}"))
        });
    VariantReport {
        variant: variant.clone(),
        allocations_bytes: size(&variant.allocations),
        program_bytes: program.and_then(size),
        info_note: info.as_ref().err().cloned(),
        info: info.ok(),
    }
}

/// Returns all files of the report, by name. Fills in the names of the charts.
fn files(report: &mut Report) -> Result<Vec<(String, String)>, Error> {
    let sections = &report.sections;
    let mut taken: Vec<String> = sections.iter().map(|one| one.file.to_owned()).collect();
    let complete = report.complete;
    let sections = report.sections.iter_mut();
    let mut files: Vec<_> = sections
        .flat_map(|section| chart::pictures(section, complete, &mut taken))
        .collect();
    files.push(("report.md".to_owned(), markdown::report(report)));
    let data = serde_json::to_string_pretty(report)? + "\n";
    files.push(("report.json".to_owned(), data));
    Ok(files)
}
