//! `broker bench`: measures a NATS server under load.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker_load::{LoadError, Login, Outcome, Pattern, Plan, Progress};
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The exit code that a shell reports for a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// Steps of the progress bar.
const STEPS: u32 = 1000;

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// Server: HOST:PORT or nats://[USER:PASSWORD@]HOST:PORT
    #[arg(
        long,
        env = "BROKER_SERVER",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:4222",
        hide_env_values = true
    )]
    server: String,
    /// User name [default: from --server]
    #[arg(long, env = "BROKER_USER", value_name = "NAME", requires = "password")]
    user: Option<String>,
    /// Password [default: from --server]
    #[arg(
        long,
        env = "BROKER_PASSWORD",
        value_name = "SECRET",
        hide_env_values = true,
        requires = "user"
    )]
    password: Option<String>,
    /// Token, instead of user and password [default: from --server]
    #[arg(long, env = "BROKER_TOKEN", value_name = "SECRET", hide_env_values = true, conflicts_with_all = ["user", "password"])]
    token: Option<String>,
    /// Server of the subscribers [default: --server]. Messages then cross the connection of a
    /// leaf node or cluster
    #[arg(
        long,
        env = "BROKER_SUBSCRIBER_SERVER",
        value_name = "ADDRESS",
        hide_env_values = true
    )]
    subscriber_server: Option<String>,
    /// Connections that publish, or with --request that send requests
    #[arg(long, env = "BROKER_PUBLISHERS", value_name = "N", default_value_t = 1, value_parser = connections)]
    publishers: usize,
    /// Connections that subscribe, each to all messages on its subject, or with --request that
    /// share the requests and answer
    #[arg(long, env = "BROKER_SUBSCRIBERS", value_name = "N", default_value_t = 1, value_parser = connections)]
    subscribers: usize,
    /// Queue group in which the subscribers of a subject share its messages [default: none]
    #[arg(long, env = "BROKER_QUEUE", value_name = "NAME", value_parser = word)]
    queue: Option<String>,
    /// Send requests and wait for the answers
    #[arg(long, env = "BROKER_REQUEST")]
    request: bool,
    /// Unanswered requests of each requester, without --rate
    #[arg(long, env = "BROKER_OUTSTANDING", value_name = "N", default_value_t = 1, value_parser = connections)]
    outstanding: usize,
    /// Subjects; publishers and subscribers are dealt out to them in turn
    #[arg(long, env = "BROKER_SUBJECTS", value_name = "N", default_value_t = 1, value_parser = connections)]
    subjects: usize,
    /// Payload size. From 8 bytes on, a payload starts with the time of sending, for latency
    #[arg(long, env = "BROKER_SIZE", value_name = "BYTES", default_value_t = 128)]
    size: usize,
    /// Number of messages to measure, of all publishers [default: no limit]
    #[arg(long, env = "BROKER_MESSAGES", value_name = "N", value_parser = value_parser!(u64).range(1..))]
    messages: Option<u64>,
    /// Time to measure [default: 5, or no limit with --messages]
    #[arg(long, env = "BROKER_DURATION", value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,
    /// Messages per second of all publishers, evenly spaced; 0 is as fast as possible
    #[arg(long, env = "BROKER_RATE", value_name = "N", default_value_t = 0)]
    rate: u64,
    /// Time of load before measuring, in addition to --messages and --duration
    /// [default: 1, or 0 with --messages]
    #[arg(long, env = "BROKER_WARM_UP", value_name = "SECONDS", value_parser = seconds)]
    warm_up: Option<Duration>,
    /// Without --rate, publishers wait while this many bytes are in flight to a subscriber, so
    /// the server drops none as a slow consumer; 0 is no limit
    #[arg(long, env = "BROKER_IN_FLIGHT", value_name = "BYTES", default_value_t = 4 << 20)]
    in_flight: usize,
    /// Print JSON instead of text
    #[arg(long, env = "BROKER_JSON")]
    json: bool,
    /// Show no progress, which only a terminal shows anyway
    #[arg(long, env = "BROKER_QUIET")]
    quiet: bool,
}

const AFTER: &str = "\
The bench counts every message. \"lost\" is the number of messages that subscribers should have
received and did not.

Latency: with --rate, a message's latency starts at the time it was scheduled for, so a stalled
sender counts. Without --rate, requests are timed from sending to answer, and plain messages are
not timed because they only wait in queues. Payloads below 8 bytes have no room for a time.

The bench uses two threads (three for --request with --rate), whatever the number of
connections, and reports their CPU time.

Ctrl-C ends the bench early and prints the result so far. Exit code: 0 if the bench ran to its
end; 1 if the server cannot be reached, refuses or drops a connection; 2 if the command line is
wrong; 130 after Ctrl-C.";

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
    // If standard error is closed too, the exit code remains.
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
        let other = self.subscriber_server.as_deref();
        let other = other.map(broker_load::parse_address).transpose()?;
        Ok(Plan {
            server,
            login,
            subscribers_at: other,
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
        _ => Err("not a number from 0 to 60000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|&seconds| (0.0..=86_400.0).contains(&seconds))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "not a number of seconds from 0 to 86400".to_owned())
}

fn word(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("must not be empty or contain spaces".to_owned());
    }
    Ok(text.to_owned())
}
