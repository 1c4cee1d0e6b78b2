//! The builds of `broker serve` under load, with nats-server for comparison.
//!
//! Each step starts a new server, runs the load generator (`broker bench`) with one load, and reads the resource usage
//! from `/proc`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use super::scenario::{Route, Scenario, select};
pub(crate) use super::server::{Kind as ServerKind, Program, all as programs};

use super::criterion::number;
use super::server::{Role, Running, client, free_port};
use crate::child::{self, RunError};
use crate::format;
use crate::section::{Better, Cell, Measure, Ratios, Row, Section, Table};
use crate::session::{Kind, Session, Source, Step};
use crate::statistics::{Summary, as_number};
use crate::text::escape;

/// The number of idle clients for the memory measurement.
const CLIENTS: usize = 1000;
/// File descriptors for these clients, and some more.
const FILES: u64 = CLIENTS as u64 + 200;
/// Seconds of load before each measurement.
const WARM_UP: f64 = 0.5;
/// How many trials determine half the maximum rate.
const TRIALS: usize = 3;

const MEASURES: &[Measure] = &[
    Measure::new("rate", "deliveries/s (thousands)", "1/s", format::thousands)
        .compared(Better::More, Ratios::Medians),
    Measure::new("p99", "p99 latency (µs)", "us", format::count)
        .compared(Better::Less, Ratios::Medians),
    Measure::new("p50", "median latency (µs)", "us", format::count),
    Measure::new("p999", "p99.9 latency (µs)", "us", format::count),
    Measure::new("max", "longest latency (µs)", "us", format::count),
    Measure::new("start", "start (ms)", "s", |seconds| {
        format!("{:.2}", seconds * 1e3)
    }),
    Measure::new("rss", "RSS (MiB)", "bytes", format::mebibytes),
    Measure::new(
        "rss_connected",
        "RSS with 1,000 idle clients (MiB)",
        "bytes",
        format::mebibytes,
    ),
    Measure::new("peak_rss", "peak RSS (MiB)", "bytes", format::mebibytes),
    Measure::new("server_cpus", "CPUs, server", "1", format::hundredths),
    Measure::new(
        "generator_cpus",
        "CPUs, load generator",
        "1",
        format::hundredths,
    ),
];

/// The row of servers without load.
const IDLE: &str = "without load";
/// The step that determines half the maximum rate, before the rounds.
const HALF_LOAD: &str = "half load";

/// The servers and loads to measure.
#[derive(Debug)]
pub(crate) struct Loads<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) programs: Vec<Program>,
    /// The load generator: a Broker executable.
    pub(crate) generator: &'a Path,
    pub(crate) scenarios: Vec<Scenario>,
    /// The length of each measurement.
    pub(crate) seconds: f64,
    /// Half the maximum rate of the reference, in messages per second, by load index.
    pub(crate) rates: BTreeMap<usize, u64>,
}

/// A server under load, and its hub if the load crosses to one.
struct Servers {
    server: Running,
    hub: Option<Running>,
}

/// The name of the load generator's output in errors.
const RESULT: &str = "the load generator's result";
/// The measures and their paths in the load generator's output.
const OUTCOME: [(&str, &str); 5] = [
    ("rate", "/delivered/messages_per_second"),
    ("p50", "/latency/p50_us"),
    ("p99", "/latency/p99_us"),
    ("p999", "/latency/p999_us"),
    ("max", "/latency/max_us"),
];

/// Returns the section before anything is measured.
pub(crate) fn section(loads: &Loads<'_>) -> Section {
    let (session, programs, scenarios) = (loads.session, &loads.programs, &loads.scenarios);
    let (generator, seconds) = (loads.generator, loads.seconds);
    let rounds = session.rounds;
    let baseline = session.baseline.and_then(|place| {
        let name = &session.variants[place].name;
        programs
            .iter()
            .position(|program| program.column.name == *name)
    });
    let place = |kind| programs.iter().position(|one| one.kind == kind);
    let (nats, least) = (place(ServerKind::Nats), place(ServerKind::Least));
    let references: Vec<usize> = [nats, baseline, least].into_iter().flatten().collect();
    let row = |scenario: Option<&Scenario>| {
        let (name, first) = match scenario {
            None => (IDLE, &["start", "rss", "rss_connected"][..]),
            Some(load) if load.at_half_load => (load.name, &["p99"][..]),
            Some(load) => (load.name, &["rate"][..]),
        };
        let more = ["peak_rss", "server_cpus", "generator_cpus"];
        let more = more.iter().filter(|_| scenario.is_some());
        let mut row = Row::new(
            name,
            &first.iter().chain(more).copied().collect::<Vec<_>>(),
            programs.len(),
        );
        for (cell, program) in row.cells.iter_mut().zip(programs) {
            cell.left_out = !program.can(scenario);
        }
        row
    };
    let arguments: BTreeMap<_, _> = scenarios
        .iter()
        .map(|one| (one.name, one.arguments))
        .collect();
    let label = |&place: &usize| escape(programs[place].column.title());
    let labels: Vec<String> = references.iter().map(label).collect();
    Section {
        name: "broker",
        heading: format!(
            "## Broker under load\n\nEach measurement starts a new server and puts it under load for {seconds} s, after a \
             warm-up, over the loopback interface, from `broker bench` on the same machine. Medians of {rounds} interleaved \
             rounds, with their range in parentheses{}.",
            ratios(&labels, least.is_some())
        ),
        settings: json!({"generator": generator, "seconds": seconds, "loads": arguments}),
        rounds,
        columns: programs
            .iter()
            .map(|program| program.column.clone())
            .collect(),
        references,
        measures: MEASURES,
        rows: scenarios.iter().map(Some).chain([None]).map(row).collect(),
        tables: vec![
            Table::new(THROUGHPUT, "load", &["rate"]),
            Table::new(
                format!(
                    "### Latency\n\n99th percentile of latency in microseconds, from the intended time of sending, at half \
                     the maximum rate of {}; less is better.",
                    labels.first().map_or("", String::as_str)
                ),
                "load",
                &["p99"],
            ),
            Table::new(
                RESOURCES,
                "load, measure",
                &[
                    "start",
                    "rss",
                    "rss_connected",
                    "peak_rss",
                    "server_cpus",
                    "generator_cpus",
                ],
            ),
        ],
        file: "broker",
        ..Section::default()
    }
}

const THROUGHPUT: &str =
    "### Throughput\n\nDeliveries (for requests: answers) per second in thousands; more is better.";
const RESOURCES: &str = "### Memory, start, CPUs\n\nMedians, with their range in parentheses. *Start*: from starting the \
    process to its first PONG. *RSS*: memory after the start, with 1,000 idle clients, and at its peak (VmHWM) under each \
    load. *CPUs*: how many the server and the load generator kept busy.";

/// Describes the ratios of each cell, in their order.
fn ratios(labels: &[String], least: bool) -> String {
    let least = if least {
        " where it was measured: it has one route from one client to one, no checks and no limits"
    } else {
        ""
    };
    match labels.split_last() {
        None => String::new(),
        Some((one, [])) => format!(", then the ratio to {one}{least}"),
        Some((one, others)) => format!(
            ", then the ratio to {} and the ratio to {one}{least}",
            others.join(", the ratio to ")
        ),
    }
}

impl Source for Loads<'_> {
    fn steps(&self, section: &Section) -> Vec<Step> {
        allow_files();
        let places = 0..self.scenarios.len();
        let rates = places.filter(|&place| self.scenarios[place].at_half_load);
        let rates = rates.map(|place| Step::new(Kind::Once(HALF_LOAD), Some(place), None, 3.0));
        rates.chain(Step::rounds(section, 1.0)).collect()
    }

    fn take(&mut self, step: &Step, section: &mut Section) -> Result<(), RunError> {
        let Some(place) = step.row else {
            return Ok(());
        };
        let row = &mut section.rows[place];
        let scenario = self.scenarios.get(place);
        match (step.kind, step.column, scenario) {
            (Kind::Round(round), Some(column), Some(scenario)) => {
                let (program, rate) = (&self.programs[column], self.rates.get(&place));
                self.load(program, scenario, rate, round, &mut row.cells[column])
            }
            (Kind::Round(round), Some(column), None) => {
                self.idle(&self.programs[column], round, &mut row.cells[column])
            }
            (_, _, Some(scenario)) => {
                // Use the reference's maximum rate; without a reference, the first server's.
                let reference = section.references.first().copied().unwrap_or_default();
                let rate = self.half_load(&self.programs[reference], scenario)?;
                self.rates.insert(place, rate);
                row.note = Some(format!("{} messages/s", format::count(as_number(rate))));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Loads<'_> {
    /// Returns half the maximum rate of a server, in published messages per second.
    fn half_load(&self, program: &Program, scenario: &Scenario) -> Result<u64, RunError> {
        let trial = |_| {
            let servers = self.start(program, scenario)?;
            let outcome = self.bench(&servers, scenario, None)?;
            number(RESULT, &outcome, "/published/messages_per_second")
        };
        let rates: Result<Vec<f64>, RunError> = (0..TRIALS).map(trial).collect();
        let rates = rates.map_err(|error| match error {
            RunError::Interrupted(_) => error,
            error => RunError::NoResult(format!(
                "half the maximum rate is unknown ({}: {error})",
                program.column.name
            )),
        })?;
        let median = Summary::of(rates).map_or(0.0, |all| all.median);
        // The value is a positive integer after clamping.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok((median / 2.0).clamp(1.0, 1e12) as u64)
    }

    fn load(
        &self,
        program: &Program,
        scenario: &Scenario,
        rate: Option<&u64>,
        round: u32,
        cell: &mut Cell,
    ) -> Result<(), RunError> {
        let mut servers = self.start(program, scenario)?;
        let before = servers.server.used()?;
        let began = Instant::now();
        let outcome = self.bench(&servers, scenario, rate);
        let elapsed = began.elapsed().as_secs_f64();
        let server = &mut servers.server;
        // If the server has ended, that explains more than the load's failure.
        server.check()?;
        let outcome = outcome?;
        let used = server.used()?;
        let lost = number(RESULT, &outcome, "/lost")?;
        if lost > 0.0 {
            let expected = number(RESULT, &outcome, "/expected")?;
            return Err(RunError::NoResult(format!(
                "{lost} of {expected} deliveries were lost"
            )));
        }
        for (measure, path) in OUTCOME {
            match number(RESULT, &outcome, path) {
                Ok(value) => cell.push(measure, round, value),
                Err(error) if measure == "rate" || scenario.at_half_load => return Err(error),
                Err(_) => {}
            }
        }
        let generator = number(RESULT, &outcome, "/generator_cpu_seconds").unwrap_or_default();
        for (measure, value) in [
            ("rss", used.rss),
            ("peak_rss", used.peak),
            ("server_cpus", (used.cpu - before.cpu) / elapsed),
            ("generator_cpus", generator / elapsed),
        ] {
            cell.push(measure, round, value);
        }
        Ok(())
    }

    /// Starts the server, and its hub if the load crosses to one.
    fn start(&self, program: &Program, scenario: &Scenario) -> Result<Servers, RunError> {
        let interrupt = &self.session.interrupt;
        if scenario.route == Route::Local {
            let server = program.start(Role::Single, interrupt)?;
            return Ok(Servers { server, hub: None });
        }
        let nats = self
            .programs
            .iter()
            .find(|one| one.kind == ServerKind::Nats);
        let nats =
            nats.ok_or_else(|| RunError::NoResult("there is no nats-server as hub".to_owned()))?;
        let leaf_nodes = free_port().map_err(RunError::Watch)?;
        let hub = nats.start(Role::Hub(leaf_nodes), interrupt)?;
        let server = program.start(Role::Leaf(leaf_nodes), interrupt)?;
        Ok(Servers {
            server,
            hub: Some(hub),
        })
    }

    fn bench(
        &self,
        servers: &Servers,
        scenario: &Scenario,
        rate: Option<&u64>,
    ) -> Result<Value, RunError> {
        let server = servers.server.address;
        let hub = servers.hub.as_ref().map_or(server, |hub| hub.address);
        let (from, to) = match scenario.route {
            Route::Local => (server, server),
            Route::ToHub => (server, hub),
            Route::FromHub => (hub, server),
        };
        let mut command = Command::new(self.generator);
        command
            .args(["bench", "--json", "--server", &from.to_string()])
            .args(["--duration", &self.seconds.to_string()])
            .args(["--warm-up", &WARM_UP.to_string()])
            .args(scenario.arguments.split_ascii_whitespace());
        if to != from {
            command.args(["--subscriber-server", &to.to_string()]);
        }
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let ended = child::run(&mut command, &self.session.interrupt)?;
        serde_json::from_str(&ended.stdout)
            .map_err(|error| RunError::NoResult(format!("{RESULT}: {error}")))
    }

    fn idle(&self, program: &Program, round: u32, cell: &mut Cell) -> Result<(), RunError> {
        let mut server = program.start(Role::Single, &self.session.interrupt)?;
        // Work after the first answer is done by then.
        self.session.interrupt.pause(Duration::from_millis(100));
        let fresh = server.used()?.rss;
        let connected = self.connected(&mut server)?;
        cell.push("start", round, server.start.as_secs_f64());
        cell.push("rss", round, fresh);
        cell.push("rss_connected", round, connected);
        Ok(())
    }

    /// Returns the memory with idle clients, in bytes.
    fn connected(&self, server: &mut Running) -> Result<f64, RunError> {
        let mut clients = Vec::with_capacity(CLIENTS);
        for place in 1..=CLIENTS {
            if let Some(signal) = self.session.interrupt.signal() {
                return Err(RunError::Interrupted(signal));
            }
            let connected = client(server.address);
            server.check()?;
            let named = |error| RunError::NoResult(format!("client {place}: {error}"));
            clients.push(connected.map_err(named)?);
        }
        self.session.interrupt.pause(Duration::from_millis(100));
        Ok(server.used()?.rss)
    }
}

/// Raises the limit of open files for the clients, if permitted.
fn allow_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < FILES) {
        limit.current = Some(limit.maximum.map_or(FILES, |most| most.min(FILES)));
        // If this fails, the clients that cannot connect report it.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}
