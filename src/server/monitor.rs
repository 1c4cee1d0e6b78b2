//! Health and figures by HTTP: `/healthz`, `/varz` and `/metrics`.

mod allocator;
mod process;

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::ServerError;
use super::shared::Shared;

/// Largest request, in bytes.
const MOST_REQUEST: usize = 4096;

/// Most lines in the header of a request.
const MOST_HEADERS: usize = 32;

/// How long a client may take for its request, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The port for monitoring, open.
#[derive(Debug)]
pub(crate) struct Monitor {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    started: Instant,
    start: SystemTime,
}

/// An answer: status, type of the content, content.
type Answer = (&'static str, &'static str, String);

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

impl Monitor {
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, ServerError> {
        let listen = |source| ServerError::Listen {
            address,
            source,
            flag: "--http",
        };
        let listener = TcpListener::bind(address).map_err(listen)?;
        Ok(Self {
            address: listener.local_addr().map_err(listen)?,
            listener,
            started: Instant::now(),
            start: SystemTime::now(),
        })
    }

    /// Answers one request after the other for as long as the program lives.
    pub(crate) fn run(&self, shared: &Shared) {
        for client in self.listener.incoming() {
            let served = client.and_then(|client| self.serve(client, shared));
            if let Err(error) = served {
                tracing::debug!("monitoring: {error}");
                // Without room for a connection this would go round and round.
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn serve(&self, mut client: TcpStream, shared: &Shared) -> io::Result<()> {
        client.set_write_timeout(Some(PATIENCE))?;
        let (status, content, body) = match read_path(&mut client)? {
            Some(path) => self.answer(&path, shared),
            None => ("400 Bad Request", TEXT, "cannot read the request\n".into()),
        };
        let length = body.len();
        write!(
            client,
            "HTTP/1.1 {status}\r\nContent-Type: {content}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    }

    fn answer(&self, path: &str, shared: &Shared) -> Answer {
        match path.split('?').next().unwrap_or_default() {
            "/healthz" => ("200 OK", JSON, json!({ "status": "ok" }).to_string()),
            "/varz" => ("200 OK", JSON, format!("{:#}\n", self.varz(shared))),
            "/metrics" => ("200 OK", "text/plain; version=0.0.4", self.metrics(shared)),
            "/" => ("200 OK", TEXT, "/healthz\n/varz\n/metrics\n".into()),
            _ => ("404 Not Found", TEXT, "there is / with a list\n".into()),
        }
    }

    /// The figures by nats-server's names.
    fn varz(&self, shared: &Shared) -> Value {
        let (info, config) = (&shared.info, &shared.config);
        let counters = shared.counters();
        let uptime = self.started.elapsed();
        json!({
            "server_id": info.server_id,
            "server_name": info.server_name,
            "version": info.version,
            "proto": info.proto,
            "host": info.host,
            "port": info.port,
            "auth_required": info.auth_required,
            "tls_required": info.tls_required,
            "tls_verify": info.tls_verify,
            "max_connections": config.max_connections,
            "max_subscriptions": config.max_subscriptions,
            "max_payload": config.limits.max_payload,
            "max_control_line": config.limits.max_control_line,
            "max_pending": config.max_pending,
            "ping_interval": u64::try_from(config.ping_interval.as_nanos()).unwrap_or(u64::MAX),
            "ping_max": config.max_pings_out,
            "auth_timeout": config.auth_timeout.as_secs_f64(),
            "write_deadline": u64::try_from(config.write_deadline.as_nanos()).unwrap_or(u64::MAX),
            "start": timestamp(self.start),
            "now": timestamp(SystemTime::now()),
            "uptime": duration(uptime),
            "mem": process::resident(),
            "cores": std::thread::available_parallelism().map_or(0, usize::from),
            "workers": config.workers,
            "cpu": process::cpu_seconds() / uptime.as_secs_f64() * 100.0,
            "connections": shared.connections(),
            "total_connections": counters.total_connections,
            "subscriptions": counters.subscriptions,
            "slow_consumers": counters.slow_consumers,
            "stalled_clients": counters.stalls,
            "in_msgs": counters.in_msgs,
            "out_msgs": counters.out_msgs,
            "in_bytes": counters.in_bytes,
            "out_bytes": counters.out_bytes,
        })
    }

    /// The figures for Prometheus.
    fn metrics(&self, shared: &Shared) -> String {
        let counters = shared.counters();
        let mut text = String::new();
        let mut add = |name: &str, kind: &str, help: &str, value: f64| {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "# HELP broker_{name} {help}\n# TYPE broker_{name} {kind}\nbroker_{name} {value}"
            );
        };
        #[allow(clippy::cast_precision_loss, reason = "Prometheus has nothing else")]
        let mut count =
            |kind, name: &str, help: &str, value: u64| add(name, kind, help, value as f64);
        let all = [
            (
                "counter",
                "in_messages_total",
                "Messages published.",
                counters.in_msgs,
            ),
            (
                "counter",
                "in_bytes_total",
                "Bytes published.",
                counters.in_bytes,
            ),
            (
                "counter",
                "out_messages_total",
                "Messages delivered.",
                counters.out_msgs,
            ),
            (
                "counter",
                "out_bytes_total",
                "Bytes delivered.",
                counters.out_bytes,
            ),
            (
                "counter",
                "slow_consumers_total",
                "Connections ended for taking messages too slowly.",
                counters.slow_consumers,
            ),
            (
                "counter",
                "stalls_total",
                "Times a publisher had to wait for a subscriber.",
                counters.stalls,
            ),
            (
                "counter",
                "connections_total",
                "Connections accepted.",
                counters.total_connections,
            ),
            (
                "gauge",
                "connections",
                "Connections.",
                shared.connections() as u64,
            ),
            (
                "gauge",
                "subscriptions",
                "Subscriptions.",
                counters.subscriptions,
            ),
            (
                "gauge",
                "resident_bytes",
                "Memory of the process in RAM.",
                process::resident(),
            ),
        ];
        for (kind, name, help, value) in all {
            count(kind, name, help, value);
        }
        for (name, value) in allocator::figures() {
            let help = "What the allocator says of itself.";
            count("gauge", &format!("allocator_{name}_bytes"), help, value);
        }
        add(
            "cpu_seconds_total",
            "counter",
            "CPU time used.",
            process::cpu_seconds(),
        );
        let uptime = self.started.elapsed().as_secs_f64();
        add("uptime_seconds", "gauge", "Time since the start.", uptime);
        text
    }
}

/// Reads a request and returns its path, or `None` if it is not one.
fn read_path(client: &mut TcpStream) -> io::Result<Option<String>> {
    let deadline = Instant::now() + PATIENCE;
    let mut buffer = [0; MOST_REQUEST];
    let mut length = 0;
    while length < buffer.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        client.set_read_timeout(Some(left))?;
        let read = client.read(&mut buffer[length..])?;
        if read == 0 {
            return Ok(None);
        }
        length += read;
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&buffer[..length]) {
            Ok(httparse::Status::Complete(_)) => {
                let read_only = matches!(request.method, Some("GET" | "HEAD"));
                let path = request.path.filter(|_| read_only);
                return Ok(path.map(str::to_owned));
            }
            Ok(httparse::Status::Partial) => {}
            Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// A time as in RFC 3339, in UTC.
fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let micros = since.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of the Gregorian calendar, so many days after 1 January 1970.
fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = if leap { 366 } else { 365 };
        if days < length {
            let february = if leap { 29 } else { 28 };
            let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let mut month = 1;
            for length in months {
                if days < length {
                    break;
                }
                days -= length;
                month += 1;
            }
            return (year, month, days + 1);
        }
        days -= length;
        year += 1;
    }
}

/// A duration as nats-server writes it, such as `1d2h3m4s`.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [
        (seconds / 86_400, 'd'),
        (seconds / 3600 % 24, 'h'),
        (seconds / 60 % 60, 'm'),
    ];
    let mut text = String::new();
    for (value, unit) in parts {
        if value > 0 || !text.is_empty() {
            let _ = write!(text, "{value}{unit}");
        }
    }
    let _ = write!(text, "{}s", seconds % 60);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn durations_are_written_as_nats_server_does() {
        for (seconds, text) in [
            (0, "0s"),
            (61, "1m1s"),
            (3600, "1h0m0s"),
            (90_061, "1d1h1m1s"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }
}
