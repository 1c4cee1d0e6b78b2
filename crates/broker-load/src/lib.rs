//! A load generator for any server that speaks the NATS client protocol.
//!
//! All clients share two threads, one that sends and one that receives, so the
//! load costs much less than the server, which often runs on the same machine.
//! Without a rate, a publisher writes a block of prepared frames over and over
//! (`pacing`), and a receiver splits its input into frames without looking at
//! payloads (`scanner`). With a rate, each message carries the time at which it
//! should have been sent (`clock`).

#![forbid(unsafe_code)]

// Tests use the same memory routines as the program.
#[cfg(test)]
use broker_runtime as _;

mod clock;
mod connect;
mod counters;
mod crossing;
mod error;
mod frames;
mod outcome;
mod pacing;
mod plan;
mod publish;
mod publisher;
mod receive;
mod scanner;
mod window;
mod wire;

pub use broker_protocol::{Address, Login};
pub use connect::ServerInfo;
pub use error::LoadError;
pub use outcome::{Flow, Latency, Outcome};
pub use plan::{Balance, Pattern, Plan};

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use broker_protocol::{BadUrl, parse_url};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use mio::{Poll, Token, Waker};

use clock::{Clock, Latencies, STAMP, nanoseconds};
use connect::{Connection, connect};
use counters::{Counters, Sample};
use outcome::Findings;
use pacing::Release;
use publish::Published;
use receive::{Received, Ways};

/// Parses `[nats://][USER:PASSWORD@|TOKEN@]HOST[:PORT]`.
///
/// # Errors
///
/// If the text has another form.
pub fn parse_address(text: &str) -> Result<(Address, Login), LoadError> {
    const PORT: u16 = 4222;
    let url = parse_url(text, PORT).map_err(LoadError::address)?;
    let why = match url.scheme {
        None | Some("nats") => return Ok((url.address, url.login)),
        Some("tls" | "wss") => "TLS is not supported here",
        Some(_) => "the scheme is not nats",
    };
    Err(LoadError::address(BadUrl::new(text, why)))
}

/// Receive buffers of connections that mostly send (small) and mostly receive (large).
const SMALL: usize = 4 * 1024;
const LARGE: usize = 256 * 1024;
/// How often progress is reported.
const TICK: Duration = Duration::from_millis(100);
/// After this long without a delivery, missing deliveries count as lost.
const QUIET: Duration = Duration::from_secs(2);
/// Without a rate: how long receivers sleep between reads.
const PAUSE: Duration = Duration::from_micros(200);

/// The progress of a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The fraction done, from 0 to 1.
    pub part: f64,
    /// Messages sent so far.
    pub published: u64,
    /// Messages received so far.
    pub delivered: u64,
    /// Time since the load began.
    pub elapsed: Duration,
}

/// Connections that are ready to use.
struct Clients {
    publishers: Vec<Connection>,
    subscribers: Vec<Connection>,
    server: ServerInfo,
}

/// A thread's result.
enum Said {
    Published(Result<Published, LoadError>),
    Received(Result<Received, LoadError>),
    Responded(Result<(), LoadError>),
}

/// Runs a load to its end, or until `stop` becomes true.
///
/// # Errors
///
/// If the load cannot start, or a connection is lost during the run.
pub fn run(
    plan: &Plan,
    stop: &AtomicBool,
    tell: impl FnMut(&Progress),
) -> Result<Outcome, LoadError> {
    plan.check()?;
    // Always four characters, so subjects have the same length in every run.
    let run: String = std::iter::repeat_with(fastrand::alphanumeric)
        .take(4)
        .collect();
    let clients = clients(plan, &run)?;
    let server = clients.server.clone();
    let load = Load {
        plan,
        run: &run,
        counters: &Counters::default(),
        clock: Clock::start(),
        stop,
    };
    let cpu = cpu_time();
    let (published, received) = load.carry_out(clients, tell)?;
    let cpu = cpu_time()
        .zip(cpu)
        .map(|(end, start)| end.saturating_sub(start));
    Ok(Outcome::new(
        plan,
        Findings {
            complete: !stop.load(Relaxed),
            server,
            measured: published.measured,
            last_delivery: load.counters.last_delivery(),
            delivered: received.counts.iter().sum(),
            balance: Balance::of(plan, &published.sent, &received.counts),
            latencies: received.latencies,
            cpu,
        },
    ))
}

/// Connects and subscribes, and waits until the server has processed both.
fn clients(plan: &Plan, run: &str) -> Result<Clients, LoadError> {
    let [publisher, subscriber] = match plan.pattern {
        Pattern::Publish => ["publisher", "subscriber"],
        Pattern::Request => ["requester", "responder"],
    };
    let open = |kind: &str, place: usize, room| {
        let who = format!("{kind} {}", place + 1);
        let (server, login) = if kind == subscriber {
            plan.place_of_subscribers()
        } else {
            (&plan.server, &plan.login)
        };
        connect(server, login, who, room)
    };
    let mut server = ServerInfo::default();
    let mut publishers = Vec::new();
    for place in 0..plan.publishers {
        let room = match plan.pattern {
            Pattern::Publish => SMALL,
            Pattern::Request => LARGE,
        };
        let (mut connection, info) = open(publisher, place, room)?;
        if let Some(limit) = info.max_payload.filter(|&limit| plan.size > limit) {
            let size = plan.size;
            return Err(LoadError::Payload { size, limit });
        }
        server = info;
        if plan.pattern == Pattern::Request {
            connection.confirm(&frames::subscribe(&frames::inbox(run, place), None))?;
        }
        publishers.push(connection);
    }
    let queue = match plan.pattern {
        Pattern::Publish => plan.queue.as_deref(),
        Pattern::Request => Some("responders"),
    };
    let mut subscribers = Vec::new();
    for place in 0..plan.subscribers {
        let (mut connection, _) = open(subscriber, place, LARGE)?;
        let subject = frames::subject(run, plan.subject_of(place));
        connection.confirm(&frames::subscribe(&subject, queue))?;
        subscribers.push(connection);
    }
    if plan.subscribers_at.is_some() && plan.subscribers > 0 {
        let (here, there) = ((&plan.server, &plan.login), plan.place_of_subscribers());
        crossing::wait(here, there, run)?;
        if plan.pattern == Pattern::Request {
            crossing::wait(there, here, run)?;
        }
    }
    Ok(Clients {
        publishers,
        subscribers,
        server,
    })
}

/// A running load.
struct Load<'a> {
    plan: &'a Plan,
    run: &'a str,
    counters: &'a Counters,
    clock: Clock,
    stop: &'a AtomicBool,
}

impl Load<'_> {
    /// Starts the threads and waits until everything has arrived or is lost.
    fn carry_out(
        &self,
        clients: Clients,
        tell: impl FnMut(&Progress),
    ) -> Result<(Published, Received), LoadError> {
        let &Self {
            plan,
            counters,
            clock,
            ..
        } = self;
        let Clients {
            mut publishers,
            subscribers,
            ..
        } = clients;
        let sending = Poll::new().map_err(LoadError::system("watch connections"))?;
        let receiving = Poll::new().map_err(LoadError::system("watch connections"))?;
        let listening = Poll::new().map_err(LoadError::system("watch connections"))?;
        let waker = Waker::new(sending.registry(), Token(usize::MAX))
            .map_err(LoadError::system("wake a thread"))?;
        let ways = Ways {
            latencies: self.latencies(),
            release: Release::new(waker, plan),
            pause: plan.rate.map_or(PAUSE, |_| Duration::ZERO),
        };
        let (say, said) = bounded(3);
        thread::scope(|scope| {
            let start = Start { scope, say };
            let begin = || -> Result<(), LoadError> {
                let read = match plan.pattern {
                    Pattern::Publish => Some((subscribers, receiving)),
                    Pattern::Request => {
                        start.thread("respond", move || {
                            Said::Responded(receive::respond(subscribers, receiving, counters))
                        })?;
                        // Without a rate, the thread that sends requests also reads the answers.
                        let halves = publishers.iter_mut().map(Connection::split);
                        match plan.rate {
                            Some(_) => Some((halves.collect::<Result<_, _>>()?, listening)),
                            None => None,
                        }
                    }
                };
                let latencies = match read {
                    Some((connections, poll)) => {
                        start.thread("receive", move || {
                            Said::Received(receive::receive(
                                connections,
                                poll,
                                ways,
                                counters,
                                clock,
                            ))
                        })?;
                        None
                    }
                    None => ways.latencies,
                };
                start.thread("publish", move || {
                    Said::Published(publish::publish(self, publishers, sending, latencies))
                })
            };
            let answer = begin().and_then(|()| self.attend(&said, tell));
            counters.finish();
            answer
        })
    }

    /// Returns the histogram for latencies, if they can be measured.
    fn latencies(&self) -> Option<Latencies> {
        let plan = self.plan;
        let possible = plan.rate.is_some() || plan.pattern == Pattern::Request;
        (possible && plan.size >= STAMP).then(|| Latencies::new(nanoseconds(self.plan.warm_up)))
    }

    /// Reports progress, and ends the load when every delivery has arrived or
    /// none has arrived for `QUIET`.
    fn attend(
        &self,
        said: &Receiver<Said>,
        mut tell: impl FnMut(&Progress),
    ) -> Result<(Published, Received), LoadError> {
        let mut published = None;
        let mut tick = TICK;
        let mut last = (0, Instant::now());
        loop {
            match said.recv_timeout(tick) {
                Ok(Said::Published(result)) => {
                    let mut sent = result?;
                    if let Some(received) = sent.received.take() {
                        return Ok((sent, received));
                    }
                    published = Some(sent);
                    last = (0, Instant::now());
                    tick = TICK / 20;
                }
                Ok(Said::Received(result)) => {
                    let received = result?;
                    // The receiver ends only after `finish`, which is called below.
                    if let Some(published) = published {
                        return Ok((published, received));
                    }
                }
                Ok(Said::Responded(result)) => result?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let source = std::io::ErrorKind::Other.into();
                    return Err(LoadError::system("continue without a thread")(source));
                }
            }
            if self.stop.load(Relaxed) {
                self.counters.stop();
            }
            let now = self.counters.sample(self.clock.now());
            tell(&self.progress(now));
            if published.is_some() {
                if last.0 != now.delivered {
                    last = (now.delivered, Instant::now());
                }
                if self.counters.in_flight() == 0 || last.1.elapsed() > QUIET {
                    self.counters.finish();
                }
            }
        }
    }

    fn progress(&self, now: Sample) -> Progress {
        let part = |done: u64, all: u64| outcome::float(done) / outcome::float(all.max(1));
        let by_time = self.plan.duration.map(|duration| {
            let all = nanoseconds(self.plan.warm_up + duration);
            part(now.at, all)
        });
        let by_messages = self.plan.messages.map(|all| part(now.published, all));
        let parts = [by_time, by_messages].into_iter().flatten();
        Progress {
            part: parts.fold(0.0, f64::max).min(1.0),
            published: now.published,
            delivered: now.delivered,
            elapsed: Duration::from_nanos(now.at),
        }
    }
}

/// Starts threads that send their result.
struct Start<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    say: Sender<Said>,
}

impl<'scope> Start<'scope, '_> {
    fn thread(
        &self,
        name: &str,
        body: impl FnOnce() -> Said + Send + 'scope,
    ) -> Result<(), LoadError> {
        let say = self.say.clone();
        thread::Builder::new()
            .name(name.to_owned())
            // If another thread has failed, the channel has no reader: not an error.
            .spawn_scoped(self.scope, move || drop(say.send(body())))
            .map(drop)
            .map_err(LoadError::system("start a thread"))
    }
}

/// Returns the CPU time of this process, if the system reports it.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).ok()
}

#[cfg(not(unix))]
fn cpu_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_tls_or_of_others_are_refused() {
        let (address, login) = parse_address("nats://a:b@h").expect("it is one");
        assert_eq!(address.to_string(), "h:4222");
        assert_eq!(login.user.as_deref(), Some("a"));
        for text in ["http://h", "tls://s3cret@h", "wss://h", "nats://h:x"] {
            let error = parse_address(text).expect_err(text).to_string();
            assert!(error.contains("is not a server address"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
