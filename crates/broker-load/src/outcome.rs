//! The result of a load.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::clock::STAMP;
use super::connect::ServerInfo;
use super::plan::Balance;
use super::window::Measured;
use super::{Pattern, Plan};

/// The result, as printed with `--json`. Rates and latencies cover the time
/// after the warm-up, losses the whole run.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Whether the load ran to its end.
    pub complete: bool,
    /// The server's address.
    pub address: String,
    /// The server's INFO.
    pub server: ServerInfo,
    /// `publish` or `request`.
    pub pattern: &'static str,
    /// Connections that published or requested.
    pub publishers: usize,
    /// Connections that subscribed or answered.
    pub subscribers: usize,
    /// The queue group in which subscribers shared messages.
    pub queue: Option<String>,
    /// The number of subjects.
    pub subjects: usize,
    /// The payload size in bytes.
    pub size: usize,
    /// Messages per second asked for; `null` means as many as possible.
    pub rate: Option<u64>,
    /// The length of the warm-up.
    pub warm_up_seconds: f64,
    /// Messages or requests sent.
    pub published: Flow,
    /// Messages or answers received.
    pub delivered: Flow,
    /// Deliveries expected, warm-up included.
    pub expected: u64,
    /// Deliveries that did not arrive, warm-up included.
    pub lost: u64,
    /// Deliveries beyond the expected ones, warm-up included.
    pub surplus: u64,
    /// Latencies, if they were measured.
    pub latency: Option<Latency>,
    /// Why latencies were not measured.
    pub latency_note: Option<&'static str>,
    /// CPU time of this process from the start of the load to its end.
    pub generator_cpu_seconds: Option<f64>,
}

/// Messages in one direction.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Flow {
    /// Messages measured.
    pub messages: u64,
    /// The time they took.
    pub seconds: f64,
    /// `messages` divided by `seconds`.
    pub messages_per_second: f64,
    /// Payload per second, in 10⁶ bytes.
    pub megabytes_per_second: f64,
}

/// Times from sending to receiving; for requests, to the answer.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// The start of the measurement: `intended` (by the rate) or `sent`.
    pub from: &'static str,
    /// The number of messages measured.
    pub messages: u64,
    /// Mean in microseconds.
    pub mean_us: f64,
    /// Median in microseconds.
    pub p50_us: f64,
    /// In microseconds.
    pub p99_us: f64,
    /// In microseconds.
    pub p999_us: f64,
    /// In microseconds.
    pub max_us: f64,
}

/// The measurements of a run.
pub(super) struct Findings {
    pub(super) complete: bool,
    pub(super) server: ServerInfo,
    pub(super) measured: Measured,
    /// When the last delivery came.
    pub(super) last_delivery: u64,
    pub(super) delivered: u64,
    pub(super) balance: Balance,
    pub(super) latencies: Option<Histogram<u64>>,
    pub(super) cpu: Option<Duration>,
}

impl Outcome {
    pub(super) fn new(plan: &Plan, found: Findings) -> Self {
        let Measured { first, last } = found.measured;
        // With a fixed number of messages, the time runs until the last one has arrived. With a
        // fixed duration, later deliveries are not counted.
        let (delivered, until) = match plan.duration {
            Some(_) => (last.delivered, last.at),
            None => (found.delivered, found.last_delivery),
        };
        let flow = |messages: u64, until: u64| {
            let seconds = seconds(until.saturating_sub(first.at));
            let rate = if seconds > 0.0 {
                float(messages) / seconds
            } else {
                0.0
            };
            Flow {
                messages,
                seconds,
                messages_per_second: rate,
                megabytes_per_second: rate * float(plan.size as u64) / 1e6,
            }
        };
        let latency = found.latencies.filter(|all| !all.is_empty());
        let latency_note = match (&latency, plan.pattern, plan.rate) {
            (Some(_), ..) => None,
            (None, Pattern::Publish, None) => {
                Some("without a rate, messages only wait in queues; give --rate")
            }
            (None, ..) if plan.size < STAMP => {
                Some("a payload below 8 B has no room for a timestamp")
            }
            (None, ..) => Some("nothing arrived after the warm-up"),
        };
        let from = plan.rate.map_or("sent", |_| "intended");
        Self {
            complete: found.complete,
            address: plan.server.to_string(),
            server: found.server,
            pattern: match plan.pattern {
                Pattern::Publish => "publish",
                Pattern::Request => "request",
            },
            publishers: plan.publishers,
            subscribers: plan.subscribers,
            queue: plan.queue.clone(),
            subjects: plan.subjects,
            size: plan.size,
            rate: plan.rate,
            warm_up_seconds: plan.warm_up.as_secs_f64(),
            published: flow(last.published.saturating_sub(first.published), last.at),
            delivered: flow(delivered.saturating_sub(first.delivered), until),
            expected: found.balance.expected,
            lost: found.balance.lost,
            surplus: found.balance.surplus,
            latency: latency.map(|histogram| Latency::of(&histogram, from)),
            latency_note,
            generator_cpu_seconds: found.cpu.map(|cpu| cpu.as_secs_f64()),
        }
    }
}

impl Latency {
    fn of(histogram: &Histogram<u64>, from: &'static str) -> Self {
        let at = |quantile| float(histogram.value_at_quantile(quantile)) / 1e3;
        Self {
            from,
            messages: histogram.len(),
            mean_us: histogram.mean() / 1e3,
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: float(histogram.max()) / 1e3,
        }
    }
}

/// The counts here are far below 2⁵³.
#[allow(clippy::cast_precision_loss)]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

fn seconds(nanoseconds: u64) -> f64 {
    float(nanoseconds) / 1e9
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = self.pattern == "request";
        let server = &self.server;
        writeln!(
            out,
            "server     {} ({} {})",
            self.address, server.server_name, server.version
        )?;
        let [publishers, subscribers] = if request {
            ["requesters", "responders"]
        } else {
            ["publishers", "subscribers"]
        };
        write!(
            out,
            "load       {} {publishers}, {} {subscribers}",
            self.publishers, self.subscribers
        )?;
        if let Some(queue) = &self.queue {
            write!(out, " in the queue group {queue}")?;
        }
        if self.subjects > 1 {
            write!(out, ", {} subjects", self.subjects)?;
        }
        write!(out, ", {} B, ", self.size)?;
        match self.rate {
            Some(rate) => writeln!(out, "{} messages/s", grouped(float(rate)))?,
            None => writeln!(out, "as fast as possible")?,
        }
        if !self.complete {
            writeln!(out, "INCOMPLETE the load was stopped early")?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "{:10} {:>14} {:>9} {:>14} {:>10}",
            "", "messages", "seconds", "messages/s", "MB/s"
        )?;
        let names = if request {
            ["requests", "answers"]
        } else {
            ["published", "delivered"]
        };
        for (name, flow) in names.iter().zip([&self.published, &self.delivered]) {
            writeln!(
                out,
                "{name:10} {:>14} {:>9.2} {:>14} {:>10.1}",
                grouped(float(flow.messages)),
                flow.seconds,
                grouped(flow.messages_per_second),
                flow.megabytes_per_second
            )?;
        }
        writeln!(out)?;
        write!(
            out,
            "lost       {} of {} deliveries",
            grouped(float(self.lost)),
            grouped(float(self.expected))
        )?;
        if self.surplus > 0 {
            write!(out, ", {} too many", grouped(float(self.surplus)))?;
        }
        writeln!(out)?;
        match (&self.latency, self.latency_note) {
            (Some(latency), _) => writeln!(
                out,
                "latency    p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs, max {:.1} µs, from {}",
                latency.p50_us,
                latency.p99_us,
                latency.p999_us,
                latency.max_us,
                if latency.from == "intended" {
                    "the intended time"
                } else {
                    "sending, one request at a time"
                }
            )?,
            (None, Some(note)) => writeln!(out, "latency    not measured: {note}")?,
            (None, None) => {}
        }
        if let Some(cpu) = self.generator_cpu_seconds {
            writeln!(out, "generator  {cpu:.2} s of CPU time")?;
        }
        Ok(())
    }
}

/// Formats a number like `1,234,567`.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::counters::Sample;
    use super::super::plan::tests::plan;
    use super::*;

    fn findings() -> Findings {
        let sample = |seconds: u64, published, delivered| Sample {
            at: seconds * 1_000_000_000,
            published,
            delivered,
        };
        Findings {
            complete: true,
            server: ServerInfo::default(),
            measured: Measured {
                first: sample(1, 1000, 900),
                last: sample(3, 5000, 4800),
            },
            last_delivery: 5_000_000_000,
            delivered: 5000,
            balance: Balance {
                expected: 5000,
                lost: 0,
                surplus: 0,
            },
            latencies: None,
            cpu: None,
        }
    }

    #[test]
    fn a_fixed_time_counts_what_arrived_in_it() {
        let mut plan = plan(1, 1);
        plan.duration = Some(Duration::from_secs(2));
        let outcome = Outcome::new(&plan, findings());
        assert_eq!(outcome.published.messages, 4000);
        assert_eq!(outcome.delivered.messages, 3900);
        assert!((outcome.delivered.messages_per_second - 1950.0).abs() < 1e-6);
        assert!((outcome.published.megabytes_per_second - 0.032).abs() < 1e-9);
    }

    #[test]
    fn a_fixed_number_takes_until_it_has_arrived() {
        let outcome = Outcome::new(&plan(1, 1), findings());
        assert_eq!(outcome.delivered.messages, 4100);
        assert!((outcome.delivered.seconds - 4.0).abs() < 1e-9);
        let text = outcome.to_string();
        for part in [
            "as fast as possible",
            "4,100",
            "lost       0 of 5,000",
            "--rate",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
