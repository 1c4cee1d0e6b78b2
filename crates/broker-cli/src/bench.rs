//! `broker bench`: puts a NATS server under load and tells what it stood.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker_load::{LoadError, Login, Outcome, Pattern, Plan, Progress};
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What a shell reports for a program ended by SIGINT.
const INTERRUPTED: u8 = 130;

/// Steps of the progress bar.
const STEPS: u32 = 1000;

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// The server: HOST:PORT or nats://[USER:PASSWORD@]HOST:PORT
    #[arg(
        long,
        env = "BROKER_SERVER",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:4222",
        hide_env_values = true
    )]
    server: String,
    /// User name [default: that of --server, if any]
    #[arg(long, env = "BROKER_USER", value_name = "NAME", requires = "password")]
    user: Option<String>,
    /// Password [default: that of --server, if any]
    #[arg(
        long,
        env = "BROKER_PASSWORD",
        value_name = "SECRET",
        hide_env_values = true,
        requires = "user"
    )]
    password: Option<String>,
    /// Token, instead of user and password [default: that of --server, if any]
    #[arg(long, env = "BROKER_TOKEN", value_name = "SECRET", hide_env_values = true, conflicts_with_all = ["user", "password"])]
    token: Option<String>,
    /// Connections that publish; with --request, that request
    #[arg(long, env = "BROKER_PUBLISHERS", value_name = "N", default_value_t = 1, value_parser = connections)]
    publishers: usize,
    /// Connections that subscribe, each to all messages of its subject; with
    /// --request, that answer, sharing requests
    #[arg(long, env = "BROKER_SUBSCRIBERS", value_name = "N", default_value_t = 1, value_parser = connections)]
    subscribers: usize,
    /// A queue group in which the subscribers of a subject share its messages
    /// [default: none]
    #[arg(long, env = "BROKER_QUEUE", value_name = "NAME", value_parser = word)]
    queue: Option<String>,
    /// Send requests and wait for their answers
    #[arg(long, env = "BROKER_REQUEST")]
    request: bool,
    /// Requests that each requester has unanswered at a time, without --rate
    #[arg(long, env = "BROKER_OUTSTANDING", value_name = "N", default_value_t = 1, value_parser = connections)]
    outstanding: usize,
    /// Subjects: the publishers and subscribers number 1, 1 + N, 1 + 2 N … use
    /// the first, and so on
    #[arg(long, env = "BROKER_SUBJECTS", value_name = "N", default_value_t = 1, value_parser = connections)]
    subjects: usize,
    /// Bytes of each payload. From 8 on, it begins with the time it was to be
    /// sent, for latencies
    #[arg(long, env = "BROKER_SIZE", value_name = "BYTES", default_value_t = 128)]
    size: usize,
    /// Messages to measure, of all publishers together [default: no limit]
    #[arg(long, env = "BROKER_MESSAGES", value_name = "N", value_parser = value_parser!(u64).range(1..))]
    messages: Option<u64>,
    /// Seconds to measure [default: 5, or no limit with --messages]
    #[arg(long, env = "BROKER_DURATION", value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,
    /// Messages per second of all publishers together, evenly spaced; 0 for as
    /// fast as possible
    #[arg(long, env = "BROKER_RATE", value_name = "N", default_value_t = 0)]
    rate: u64,
    /// Seconds of load before measuring, on top of --messages and --duration
    /// [default: 1, or 0 with --messages]
    #[arg(long, env = "BROKER_WARM_UP", value_name = "SECONDS", value_parser = seconds)]
    warm_up: Option<Duration>,
    /// Without --rate: bytes on their way to each subscriber at which
    /// publishers wait, so that none is dropped as too slow; 0 for no limit
    #[arg(long, env = "BROKER_IN_FLIGHT", value_name = "BYTES", default_value_t = 4 << 20)]
    in_flight: usize,
    /// Print JSON instead of text
    #[arg(long, env = "BROKER_JSON")]
    json: bool,
    /// Show no progress; it is only shown on a terminal
    #[arg(long, env = "BROKER_QUIET")]
    quiet: bool,
}

const AFTER: &str = "\
Every message published, to its last, is accounted for: \"lost\" is what
subscribers should have received and did not.

Latency: with --rate, from the time at which each message was to be sent, so
that a server that stalls the sender cannot hide it. Without, requests are
timed from sending to answer, one after the other, and messages not at all, as
they would only wait in queues. Payloads below 8 B have no room for a time.

Two threads at most are busy, whatever the number of connections (three for
--request with --rate), and their processor time is told.

Ctrl-C ends it early and prints what was measured. Exit code: 0 if it ran to
its end; 1 if the server cannot be reached, refuses, or drops a connection;
2 if the command line is wrong; 130 after Ctrl-C.";

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match measure(arguments) {
        Ok(outcome) => finish(arguments, &outcome),
        Err(error) => fail(&error.to_string()),
    }
}

fn measure(arguments: &Arguments) -> Result<Outcome, LoadError> {
    let plan = arguments.plan()?;
    let stop = Arc::new(AtomicBool::new(false));
    catch(&stop)?;
    let bar = arguments.bar();
    let outcome = broker_load::run(&plan, &stop, |progress| show(&bar, progress));
    bar.finish_and_clear();
    outcome
}

fn finish(arguments: &Arguments, outcome: &Outcome) -> ExitCode {
    let text = if arguments.json {
        match serde_json::to_string_pretty(outcome) {
            Ok(text) => text + "\n",
            Err(error) => return fail(&format!("cannot put the result into JSON: {error}")),
        }
    } else {
        outcome.to_string()
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(&format!("cannot write to standard output: {error}"))
        }
        _ if outcome.complete => ExitCode::SUCCESS,
        _ => ExitCode::from(INTERRUPTED),
    }
}

fn fail(error: &str) -> ExitCode {
    // With standard error gone too, the exit code is all that is left.
    let _ = writeln!(io::stderr(), "broker: {error}");
    ExitCode::FAILURE
}

/// Makes `stop` true on Ctrl-C or SIGTERM.
fn catch(stop: &Arc<AtomicBool>) -> Result<(), LoadError> {
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let caught = signal_hook::flag::register(signal, Arc::clone(stop));
        caught.map_err(|source| LoadError::System {
            what: "catch signals",
            source,
        })?;
    }
    stop.store(false, Ordering::Relaxed);
    Ok(())
}

fn show(bar: &ProgressBar, progress: &Progress) {
    // From 0 to 1, so that it fits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let steps = (progress.part * f64::from(STEPS)) as u64;
    bar.set_position(steps);
    bar.set_message(format!(
        "{} published, {} delivered",
        progress.published, progress.delivered
    ));
}

impl Arguments {
    fn plan(&self) -> Result<Plan, LoadError> {
        let (server, mut login) = broker_load::parse_address(&self.server)?;
        if self.user.is_some() || self.token.is_some() {
            login = Login {
                user: self.user.clone(),
                password: self.password.clone(),
                token: self.token.clone(),
            };
        }
        let limited = self.messages.is_some();
        let by_default = |seconds| (!limited).then(|| Duration::from_secs(seconds));
        Ok(Plan {
            server,
            login,
            pattern: if self.request {
                Pattern::Request
            } else {
                Pattern::Publish
            },
            publishers: self.publishers,
            subscribers: self.subscribers,
            queue: self.queue.clone(),
            subjects: self.subjects,
            size: self.size,
            messages: self.messages,
            duration: self.duration.or_else(|| by_default(5)),
            rate: Some(self.rate).filter(|&rate| rate > 0),
            warm_up: self.warm_up.or_else(|| by_default(1)).unwrap_or_default(),
            in_flight: Some(self.in_flight).filter(|&bytes| bytes > 0),
            outstanding: self.outstanding,
        })
    }

    fn bar(&self) -> ProgressBar {
        if self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar =
            ProgressBar::with_draw_target(Some(u64::from(STEPS)), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {elapsed} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar
    }
}

fn connections(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= 60_000 => Ok(number),
        _ => Err("it is no number from 0 to 60000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|&seconds| (0.0..=86_400.0).contains(&seconds))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "it is no number of seconds from 0 to 86400".to_owned())
}

fn word(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("it is empty or contains spaces".to_owned());
    }
    Ok(text.to_owned())
}
