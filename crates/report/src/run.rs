//! From the command line to the report.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use report::benchmarks::Executable;
use report::child::{self, RunError};
use report::interrupt::Interrupt;
use report::load::{self, Load};
use report::matrix::{ChoiceError, Matrix, MatrixError, Variant};
use report::output::{Output, OutputError};
use report::results::{Reading, Report, Settings, VariantReport};
use report::session::Session;
use report::system::{self, System};
use report::{date, groups, markdown, plot, strace};

use crate::arguments::Arguments;
use crate::progress::Display;

/// The overview's file, without its ending.
const OVERVIEW: &str = "overview";

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
            Self::Choice(_) | Self::Strace(_) => 2,
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
    let groups = groups::select(&list(&variants, &interrupt)?, &arguments.groups)?;
    let output = Output::prepare(&arguments.output)?;

    let display = Display::new();
    let started = date::now();
    let load = Load::now(&interrupt);
    let mut warnings = load.warnings(system::cpus());
    warnings.extend(load::tuning());
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
    let signal = session.run(&mut results, |progress| display.show(progress));
    display.clear();
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
    };
    for group in &mut report.groups {
        group.summarise(baseline);
    }
    let folder = output.write(&files(&mut report)?, report.complete)?;
    let place = folder.join("report.md");
    let Some(signal) = signal else {
        return Ok(finish(&display, &report, &place));
    };
    display.say(&format!(
        "ended early; what was measured is in {}",
        place.display()
    ));
    Ok(ExitCode::from(signal.exit_code()))
}

fn finish(display: &Display, report: &Report, place: &Path) -> ExitCode {
    display.say(&format!("the report is in {}", place.display()));
    match report.failures() {
        0 => ExitCode::SUCCESS,
        failures => {
            let all = report.groups.len() * report.variants.len();
            display.say(&format!(
                "{failures} of {all} measurements failed; their cells say why"
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
    let mut taken = vec![OVERVIEW.to_owned()];
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
