//! What servers stood, in the form in which it is kept as JSON.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::statistics::Summary;

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub struct ProgramReport {
    /// The load generator.
    pub generator: PathBuf,
    /// How often each load was put on each server.
    pub rounds: u32,
    /// How long each was measured.
    pub seconds: f64,
    /// The servers.
    pub servers: Vec<ServerReport>,
    /// Place of the server that others are compared with, if it was measured:
    /// the matrix's baseline.
    pub baseline: Option<usize>,
    /// Place of nats-server, if it is there.
    pub nats: Option<usize>,
    /// Place of the least server, if it is there.
    pub least: Option<usize>,
    /// The loads.
    pub loads: Vec<LoadReport>,
    /// The servers without load, in their order.
    pub idle: Vec<IdleCell>,
    /// The file of the plot, if there is one.
    pub plot: Option<String>,
}

/// A server.
#[derive(Debug, Clone, Serialize)]
pub struct ServerReport {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Its executable.
    pub program: PathBuf,
}

/// A load.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// Its name.
    pub name: String,
    /// Arguments of the load generator.
    pub arguments: Vec<String>,
    /// Whether latencies are compared, and not deliveries per second.
    pub latency: bool,
    /// Messages per second at which latencies were measured.
    pub rate: Option<u64>,
    /// One for each server, in their order.
    pub cells: Vec<LoadCell>,
}

/// A load of one server.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoadCell {
    /// The server cannot do it.
    pub left_out: bool,
    /// Each round that went well.
    pub rounds: Vec<LoadRound>,
    /// Why later rounds are missing.
    pub failure: Option<String>,
    /// Deliveries per second, or microseconds that 99 % of messages stay below.
    pub summary: Option<Summary>,
    /// Median by the baseline's median.
    pub to_baseline: Option<f64>,
    /// Median by nats-server's median.
    pub to_nats: Option<f64>,
    /// Median by the least server's median.
    pub to_least: Option<f64>,
    /// The most memory the server had, in bytes.
    pub peak_rss_bytes: Option<Summary>,
    /// Processors that the server kept busy.
    pub server_cpus: Option<Summary>,
    /// Processors that the load generator kept busy.
    pub generator_cpus: Option<Summary>,
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LoadRound {
    /// Its number, from 1.
    pub number: u32,
    /// Deliveries per second.
    pub messages_per_second: f64,
    /// Latencies in microseconds, if they were measured.
    pub latency: Option<Latency>,
    /// Memory of the server at the end, in bytes.
    pub rss_bytes: f64,
    /// The most it had, in bytes.
    pub peak_rss_bytes: f64,
    /// Processor time of the server by the time that the load took.
    pub server_cpus: f64,
    /// The same of the load generator.
    pub generator_cpus: f64,
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50_us: f64,
    /// 99 % are below.
    pub p99_us: f64,
    /// 99.9 % are below.
    pub p999_us: f64,
    /// The longest.
    pub max_us: f64,
}

/// A server without load.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IdleCell {
    /// It would mean nothing of this server.
    pub left_out: bool,
    /// From starting the process to its first PONG, in seconds; one per round.
    pub starts: Vec<f64>,
    /// Memory then, in bytes.
    pub rss: Vec<f64>,
    /// Memory with 1,000 idle clients, in bytes.
    pub rss_connected: Vec<f64>,
    /// Why later rounds are missing.
    pub failure: Option<String>,
}

impl ProgramReport {
    /// Works out what follows from the rounds.
    pub fn summarise(&mut self) {
        for load in &mut self.loads {
            for cell in &mut load.cells {
                let of = |value: fn(&LoadRound) -> f64| Summary::of(cell.rounds.iter().map(value));
                let p99 = |round: &LoadRound| Some(round.latency?.p99_us);
                cell.summary = if load.latency {
                    Summary::of(cell.rounds.iter().filter_map(p99))
                } else {
                    of(|round| round.messages_per_second)
                };
                cell.peak_rss_bytes = of(|round| round.peak_rss_bytes);
                cell.server_cpus = of(|round| round.server_cpus);
                cell.generator_cpus = of(|round| round.generator_cpus);
            }
            let median = |place: Option<usize>| Some(load.cells.get(place?)?.summary?.median);
            let [baseline, nats, least] = [self.baseline, self.nats, self.least].map(median);
            for cell in &mut load.cells {
                let Some(own) = cell.summary else { continue };
                cell.to_baseline = baseline.map(|other| own.median / other);
                cell.to_nats = nats.map(|other| own.median / other);
                cell.to_least = least.map(|other| own.median / other);
            }
        }
    }

    /// Everything measured, and what of it failed.
    #[must_use]
    pub fn failures(&self) -> (usize, usize) {
        let loads = self.loads.iter().flat_map(|load| &load.cells);
        let loads = loads.filter(|cell| !cell.left_out);
        let loads = loads.map(|cell| cell.failure.is_some());
        let idle = self.idle.iter().filter(|cell| !cell.left_out);
        let idle = idle.map(|cell| cell.failure.is_some());
        let all: Vec<bool> = loads.chain(idle).collect();
        (all.len(), all.iter().filter(|failed| **failed).count())
    }
}
