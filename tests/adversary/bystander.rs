//! A pair of clients that exchange requests and replies during an attack.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Time between two requests.
const INTERVAL: Duration = Duration::from_millis(2);

/// A connection in plaintext or over TLS.
pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// When the last request is due; `None` while that is undecided.
pub(crate) type End = Arc<Mutex<Option<Instant>>>;

/// The requests of one pair.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) round_trips: Vec<Duration>,
    /// When the one with the longest round trip was sent.
    pub(crate) longest_sent: Instant,
}

/// Requests, or an error.
pub(crate) type Measured = Result<Requests, String>;

struct Lines(BufReader<Box<dyn Stream>>);

impl Lines {
    /// Returns the next line other than PING; an error at the end.
    fn next(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line != "PING\r\n" {
                return Ok(line);
            }
        }
    }

    fn send(&mut self, text: &str) -> io::Result<()> {
        let stream = self.0.get_mut();
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    fn subscribe(&mut self, subject: &str) {
        let options = "{\"verbose\":false,\"headers\":true,\"no_responders\":true}";
        let text = format!("CONNECT {options}\r\nSUB {subject} 1\r\nPING\r\n");
        self.send(&text).expect("the server reads");
        assert_eq!(self.next().expect("it answers"), "PONG\r\n");
    }
}

pub(crate) struct Pair {
    number: usize,
    requester: Lines,
    responder: Lines,
}

impl Pair {
    /// Creates the pair with this number, on connections that have read INFO.
    pub(crate) fn new(
        number: usize,
        requester: Box<dyn Stream>,
        responder: Box<dyn Stream>,
    ) -> Self {
        let [mut requester, mut responder] =
            [requester, responder].map(|stream| Lines(BufReader::new(stream)));
        requester.subscribe(&format!("answers.{number}"));
        responder.subscribe(&format!("bystanders.{number}"));
        Self {
            number,
            requester,
            responder,
        }
    }

    /// Runs the pair until the end.
    pub(crate) fn start(self, end: End) -> JoinHandle<Measured> {
        let Self {
            number,
            requester,
            responder,
        } = self;
        thread::spawn(move || {
            let answering = thread::spawn(move || answer(responder, number));
            let measured = ask(requester, number, &end);
            let answered = answering.join().expect("it does not panic");
            let measured = measured.map_err(|error| format!("requester {number}: {error}"))?;
            answered.map_err(|error| format!("responder {number}: {error}"))?;
            Ok(measured)
        })
    }
}

/// The payload that ends the responder's thread.
const LAST: &str = "last";

/// Sends one request at a time. A server that hangs for a second delays all requests of that
/// second, not only one: requests that could not be sent count with the time that each would have
/// waited.
fn ask(mut requester: Lines, number: usize, end: &End) -> io::Result<Requests> {
    let mut round_trips = Vec::new();
    let mut longest = (Duration::ZERO, Instant::now());
    for count in 0_usize.. {
        let last = *end.lock().expect("no panic with the lock");
        if last.is_some_and(|last| Instant::now() > last) {
            break;
        }
        let sent = Instant::now();
        let payload = count.to_string();
        request(&mut requester, number, &payload)?;
        let head = format!("MSG answers.{number} 1 {}\r\n", payload.len());
        expect(&mut requester, &head)?;
        expect(&mut requester, &format!("{payload}\r\n"))?;
        let mut waited = sent.elapsed();
        longest = longest.max((waited, sent));
        round_trips.push(waited);
        while let Some(less) = waited.checked_sub(INTERVAL) {
            round_trips.push(less);
            waited = less;
        }
        thread::sleep(INTERVAL.saturating_sub(sent.elapsed()));
    }
    request(&mut requester, number, LAST)?;
    Ok(Requests {
        round_trips,
        longest_sent: longest.1,
    })
}

fn request(requester: &mut Lines, number: usize, payload: &str) -> io::Result<()> {
    let length = payload.len();
    requester.send(&format!(
        "PUB bystanders.{number} answers.{number} {length}\r\n{payload}\r\n"
    ))
}

fn expect(lines: &mut Lines, expected: &str) -> io::Result<()> {
    let found = lines.next()?;
    if found == expected {
        return Ok(());
    }
    let text = format!("{found:?} instead of {expected:?}");
    Err(io::Error::other(text))
}

/// Answers requests, which are numbered from 0.
fn answer(mut responder: Lines, number: usize) -> io::Result<()> {
    for expected in 0_usize.. {
        let head = responder.next()?;
        if !head.starts_with("MSG ") {
            return Err(io::Error::other(format!("{head:?}")));
        }
        let payload = responder.next()?;
        let payload = payload.trim_end();
        if payload == LAST {
            break;
        }
        if payload != expected.to_string() {
            let text = format!("request {payload} instead of {expected}");
            return Err(io::Error::other(text));
        }
        let length = payload.len();
        responder.send(&format!("PUB answers.{number} {length}\r\n{payload}\r\n"))?;
    }
    Ok(())
}
