//! Every server under every load, in an order that is fair to all.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::results::{IdleCell, Latency, LoadCell, LoadReport, LoadRound};
use super::results::{ProgramReport, ServerReport};
use super::scenario::Scenario;
use super::server::{Kind, Program, client};
use crate::child::{self, RunError};
use crate::interrupt::{Interrupt, Signal};
use crate::session::Progress;
use crate::statistics::Summary;

/// Idle clients whose memory is measured.
const CLIENTS: usize = 1000;
/// File descriptors that these take here, and some more.
const FILES: u64 = CLIENTS as u64 + 200;
/// Seconds of load before each measurement.
const WARM_UP: f64 = 0.5;
/// How often it is found out what half the load is.
const TRIALS: usize = 3;

/// What is to be measured, and how.
#[derive(Debug)]
pub struct Session<'a> {
    /// The servers.
    pub programs: &'a [Program],
    /// Place of the baseline among them.
    pub baseline: Option<usize>,
    /// The load generator: a Broker.
    pub generator: &'a Path,
    /// The loads.
    pub scenarios: &'a [Scenario],
    /// How often each is put on each server.
    pub rounds: u32,
    /// How long each is measured.
    pub seconds: f64,
    /// What ends it early.
    pub interrupt: &'a Interrupt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// How much half the load of a scenario is.
    Rate(usize),
    Load(usize),
    Idle,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    what: What,
    round: u32,
    server: usize,
}

/// What is read of the load generator's result.
#[derive(Deserialize)]
struct Outcome {
    published: Flow,
    delivered: Flow,
    lost: u64,
    expected: u64,
    latency: Option<Latency>,
    generator_cpu_seconds: Option<f64>,
}

#[derive(Deserialize)]
struct Flow {
    messages_per_second: f64,
}

impl Session<'_> {
    /// Nothing measured yet.
    #[must_use]
    pub fn empty(&self) -> ProgramReport {
        let load = |scenario: &Scenario| LoadReport {
            name: scenario.name.to_owned(),
            arguments: scenario.arguments.iter().map(ToString::to_string).collect(),
            latency: scenario.at_half_load,
            rate: None,
            cells: self
                .programs
                .iter()
                .map(|program| LoadCell {
                    left_out: !program.can(Some(scenario)),
                    ..LoadCell::default()
                })
                .collect(),
        };
        let server = |program: &Program| ServerReport {
            name: program.name.clone(),
            label: program.label.clone(),
            program: program.path.clone(),
        };
        ProgramReport {
            generator: self.generator.to_owned(),
            rounds: self.rounds,
            seconds: self.seconds,
            servers: self.programs.iter().map(server).collect(),
            baseline: self.baseline,
            nats: self.place(Kind::Nats),
            least: self.place(Kind::Least),
            loads: self.scenarios.iter().map(load).collect(),
            idle: self
                .programs
                .iter()
                .map(|program| IdleCell {
                    left_out: !program.can(None),
                    ..IdleCell::default()
                })
                .collect(),
            plot: None,
        }
    }

    fn place(&self, kind: Kind) -> Option<usize> {
        self.programs.iter().position(|one| one.kind == kind)
    }

    /// Fills in what can be measured. Returns the signal that ended it early.
    pub fn run(
        &self,
        report: &mut ProgramReport,
        mut tell: impl FnMut(&Progress),
    ) -> Option<Signal> {
        allow_files();
        let steps = self.steps();
        let started = Instant::now();
        for (done, step) in steps.iter().enumerate() {
            let left = u32::try_from(steps.len() - done).unwrap_or(u32::MAX);
            let each = u32::try_from(done)
                .ok()
                .and_then(|done| started.elapsed().checked_div(done));
            tell(&Progress {
                done,
                total: steps.len(),
                what: self.describe(*step),
                left: each.map(|each| each * left),
            });
            if let Err(signal) = self.take(*step, report) {
                return Some(signal);
            }
        }
        None
    }

    /// All steps. Each server is first in some rounds and last in others.
    fn steps(&self) -> Vec<Step> {
        let count = self.programs.len();
        // Half of what the reference stands; the last resort is anybody.
        let reference = self.place(Kind::Nats).or(self.baseline).unwrap_or_default();
        let rates = self
            .scenarios
            .iter()
            .enumerate()
            .filter_map(|(place, scenario)| {
                scenario.at_half_load.then_some(Step {
                    what: What::Rate(place),
                    round: 0,
                    server: reference,
                })
            });
        let mut steps: Vec<Step> = rates.collect();
        for round in 1..=self.rounds {
            let kinds = (0..self.scenarios.len()).map(What::Load);
            for (place, what) in kinds.chain([What::Idle]).enumerate() {
                let scenario = self.scenarios.get(place);
                let first = place + round as usize - 1;
                let servers = (first..first + count).map(|place| place % count);
                let servers = servers.filter(|&server| self.programs[server].can(scenario));
                steps.extend(servers.map(|server| Step {
                    what,
                    round,
                    server,
                }));
            }
        }
        steps
    }

    fn describe(&self, step: Step) -> String {
        let name = &self.programs[step.server].name;
        let (round, all) = (step.round, self.rounds);
        match step.what {
            What::Rate(place) => format!("half load: {}, {name}", self.scenarios[place].name),
            What::Load(place) => {
                let load = self.scenarios[place].name;
                format!("round {round} of {all}: {load}, {name}")
            }
            What::Idle => format!("round {round} of {all}: idle, {name}"),
        }
    }

    fn take(&self, step: Step, report: &mut ProgramReport) -> Result<(), Signal> {
        let program = &self.programs[step.server];
        match step.what {
            What::Rate(place) => {
                let load = &mut report.loads[place];
                match self.half_load(program, &self.scenarios[place]) {
                    Ok(rate) => load.rate = Some(rate),
                    Err(RunError::Interrupted(signal)) => return Err(signal),
                    Err(error) => {
                        let why = format!("half the load is not known ({}: {error})", program.name);
                        for cell in &mut load.cells {
                            cell.failure = Some(why.clone());
                        }
                    }
                }
            }
            What::Load(place) => {
                let load = &mut report.loads[place];
                let cell = &mut load.cells[step.server];
                // What has failed once is not run again.
                if cell.failure.is_none() {
                    match self.load(program, &self.scenarios[place], load.rate, step.round) {
                        Ok(round) => cell.rounds.push(round),
                        Err(RunError::Interrupted(signal)) => return Err(signal),
                        Err(error) => cell.failure = Some(error.to_string()),
                    }
                }
            }
            What::Idle => {
                let cell = &mut report.idle[step.server];
                if cell.failure.is_none() {
                    match self.idle(program, cell) {
                        Ok(()) => {}
                        Err(RunError::Interrupted(signal)) => return Err(signal),
                        Err(error) => cell.failure = Some(error.to_string()),
                    }
                }
            }
        }
        Ok(())
    }

    /// Half of what a server stands, in messages per second published.
    fn half_load(&self, program: &Program, scenario: &Scenario) -> Result<u64, RunError> {
        let mut rates = Vec::new();
        for _ in 0..TRIALS {
            let server = program.start(self.interrupt)?;
            let outcome = self.bench(server.address, scenario, None)?;
            rates.push(outcome.published.messages_per_second);
        }
        let median = Summary::of(rates).map_or(0.0, |all| all.median);
        // A whole number, and a positive one.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok((median / 2.0).clamp(1.0, 1e12) as u64)
    }

    fn load(
        &self,
        program: &Program,
        scenario: &Scenario,
        rate: Option<u64>,
        number: u32,
    ) -> Result<LoadRound, RunError> {
        let mut server = program.start(self.interrupt)?;
        let before = server.used()?;
        let began = Instant::now();
        let outcome = self.bench(server.address, scenario, rate);
        let elapsed = began.elapsed().as_secs_f64();
        // A server that is gone explains more than a load that failed.
        server.check()?;
        let outcome = outcome?;
        let used = server.used()?;
        if outcome.lost > 0 {
            let (lost, expected) = (outcome.lost, outcome.expected);
            let why = format!("{lost} of {expected} deliveries were lost");
            return Err(RunError::NoResult(why));
        }
        if scenario.at_half_load && outcome.latency.is_none() {
            let why = "no latencies were measured".to_owned();
            return Err(RunError::NoResult(why));
        }
        Ok(LoadRound {
            number,
            messages_per_second: outcome.delivered.messages_per_second,
            latency: outcome.latency,
            rss_bytes: used.rss,
            peak_rss_bytes: used.peak,
            server_cpus: (used.cpu - before.cpu) / elapsed,
            generator_cpus: outcome.generator_cpu_seconds.unwrap_or_default() / elapsed,
        })
    }

    fn bench(
        &self,
        address: SocketAddr,
        scenario: &Scenario,
        rate: Option<u64>,
    ) -> Result<Outcome, RunError> {
        let mut command = Command::new(self.generator);
        command
            .args(["bench", "--json", "--server", &address.to_string()])
            .args(["--duration", &self.seconds.to_string()])
            .args(["--warm-up", &WARM_UP.to_string()])
            .args(scenario.arguments);
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let ended = child::run(&mut command, self.interrupt)?;
        serde_json::from_str(&ended.stdout)
            .map_err(|error| RunError::NoResult(format!("the load generator's result: {error}")))
    }

    fn idle(&self, program: &Program, cell: &mut IdleCell) -> Result<(), RunError> {
        let mut server = program.start(self.interrupt)?;
        // Whatever it does after its first answer, it has done by then.
        self.interrupt.pause(Duration::from_millis(100));
        let fresh = server.used()?.rss;
        let mut clients = Vec::with_capacity(CLIENTS);
        for place in 0..CLIENTS {
            if let Some(signal) = self.interrupt.signal() {
                return Err(RunError::Interrupted(signal));
            }
            let connected = client(server.address);
            server.check()?;
            clients.push(
                connected.map_err(|error| {
                    RunError::NoResult(format!("client {}: {error}", place + 1))
                })?,
            );
        }
        self.interrupt.pause(Duration::from_millis(100));
        let connected = server.used()?.rss;
        cell.starts.push(server.start.as_secs_f64());
        cell.rss.push(fresh);
        cell.rss_connected.push(connected);
        Ok(())
    }
}

/// Lets this process have as many clients as are needed, if it may.
fn allow_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < FILES) {
        limit.current = Some(limit.maximum.map_or(FILES, |most| most.min(FILES)));
        // If it fails, the clients that cannot connect say so.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}
