//! `broker serve`.

mod arguments;
mod failure;
mod log;
mod log_output;
mod lookup;
mod nats_flags;
mod nats_lines;
mod pid_file;
mod ports_file;
mod run_files;
mod secrets;
mod send_signal;
mod settings;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use broker_config::Options;
use broker_server::{Server, ServerError};
use tracing::level_filters::LevelFilter;

pub(crate) use arguments::Arguments;
use arguments::{Format, Level};
use failure::Failure;
use log::{Log, Style};
use log_output::Output;
use run_files::RunFiles;
use signals::{Signals, Subject};

/// The exit code after a panic: Rust's own.
const PANICKED: u8 = 101;

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    if let Some(order) = &arguments.signal {
        return match order.send() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(io::stderr(), "broker: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let started = settings::read_file(&arguments).and_then(|(file, warnings)| {
        let log = start_log(&arguments, &file)?;
        Ok((file, warnings, log))
    });
    let (file, warnings, log) = match started {
        Ok(started) => started,
        Err(error) => {
            // If standard error is closed, the exit code remains.
            let _ = writeln!(io::stderr(), "broker: {error}");
            return ExitCode::FAILURE;
        }
    };
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    match serve(arguments, &file, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.last(&format!("broker: {error}"));
            match error {
                Failure::Server(ServerError::Panicked(_)) => ExitCode::from(PANICKED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn start_log(arguments: &Arguments, file: &Options) -> Result<Log, Failure> {
    let of_file = match (file.trace, file.debug) {
        (Some(true), _) => LevelFilter::TRACE,
        (_, Some(true)) => LevelFilter::DEBUG,
        _ => LevelFilter::INFO,
    };
    let of_flag = arguments.log_level.map(|level| match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    });
    let level = arguments.nats.level().or(of_flag).unwrap_or(of_file);
    let style = match arguments.log_format {
        Format::Text => Style::Text,
        Format::Json => Style::Json,
        Format::Nats => Style::Nats,
    };
    let path = arguments.log.as_ref().or(file.log_file.as_ref());
    let output = Output::open(path.map(|path| &**path)).map_err(|source| Failure::LogFile {
        path: path.cloned().unwrap_or_default(),
        source,
    })?;
    Log::start(level, style, output).map_err(Failure::Log)
}

/// Raises the limit on open files: every connection is one, and the default limit is low.
fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!("cannot raise the limit on open files: {error}");
        }
    }
}

fn serve(arguments: Arguments, file: &Options, log: &Log) -> Result<(), Failure> {
    let config = settings::config(&arguments, file)?;
    if arguments.test {
        config.check()?;
        tracing::info!("the configuration is valid");
        return Ok(());
    }
    raise_open_files();
    let signals = Signals::register().map_err(Failure::Signals)?;
    let server = Server::bind(config)?;
    let files = Arc::new(RunFiles::write(&arguments, file, &server.handle())?);
    let followed = signals.follow(Subject {
        server: server.handle(),
        log: log.output(),
        files: Arc::clone(&files),
        arguments,
    });
    let ended = match followed {
        Ok(()) => server.run().map_err(Failure::from),
        Err(error) => Err(Failure::Signals(error)),
    };
    files.remove();
    ended
}
