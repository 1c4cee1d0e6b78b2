//! `broker bench` against a real server, and against listeners that are not servers.
//!
//! The program is always the `bench` of a Broker, whatever the server is.

#[path = "common/process.rs"]
mod process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use process::{Description, Process, Program};
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

/// A server that ends with the test.
struct Server(Process);

impl Server {
    fn start() -> Self {
        Self::described(&Description::default())
    }

    fn described(described: &Description) -> Self {
        Self(Program::chosen().start(described, 0))
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0.port)
    }

    fn bench(&self, arguments: &str) -> Output {
        bench(&self.address(), arguments)
    }

    fn measure(&self, arguments: &str) -> Value {
        let output = self.bench(&format!("--json {arguments}"));
        assert!(output.status.success(), "{arguments}: {output:?}");
        assert!(output.stderr.is_empty(), "{arguments}: {output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

fn command(server: &str, arguments: &str) -> Command {
    let mut command = Command::new(Program::load_generator());
    command
        .args(["bench", "--server", server])
        .args(arguments.split_whitespace());
    command
}

fn bench(server: &str, arguments: &str) -> Output {
    command(server, arguments).output().expect("it starts")
}

/// Returns the single line of an error.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn counts(outcome: &Value) -> [u64; 5] {
    [
        &outcome["published"]["messages"],
        &outcome["delivered"]["messages"],
        &outcome["expected"],
        &outcome["lost"],
        &outcome["surplus"],
    ]
    .map(|count| count.as_u64().expect("a count"))
}

#[test]
fn every_message_is_accounted_for() {
    let server = Server::start();
    for (arguments, published, delivered) in [
        ("", 1001, 1001),
        ("--size 0", 1001, 1001),
        ("--size 100000", 1001, 1001),
        ("--subscribers 0", 1001, 0),
        ("--subscribers 10", 1001, 10_010),
        ("--publishers 3 --subscribers 4", 1001, 4004),
        ("--publishers 3 --subscribers 4 --queue q", 1001, 1001),
        // 334 messages on one subject, 667 on two others.
        ("--publishers 3 --subscribers 4 --subjects 3", 1001, 1335),
        (
            "--publishers 2 --subscribers 3 --queue q --subjects 2",
            1001,
            1001,
        ),
        ("--in-flight 1", 1001, 1001),
        ("--in-flight 0", 1001, 1001),
        ("--rate 20000", 1001, 1001),
        ("--rate 20000 --publishers 4 --subscribers 3", 1001, 3003),
        ("--request", 1001, 1001),
        (
            "--request --publishers 4 --subscribers 2 --outstanding 5",
            1001,
            1001,
        ),
        ("--request --rate 20000 --publishers 3", 1001, 1001),
    ] {
        let outcome = server.measure(&format!("--messages 1001 {arguments}"));
        let expected = [published, delivered, delivered, 0, 0];
        assert_eq!(counts(&outcome), expected, "{arguments}");
        assert_eq!(outcome["complete"], true, "{arguments}");
    }
}

#[test]
fn a_fixed_time_loses_nothing_either() {
    let server = Server::start();
    for arguments in [
        "--subscribers 3",
        "--publishers 3 --subscribers 3 --queue q",
        "--rate 5000",
        "--request",
        "--request --rate 2000",
    ] {
        // Long enough that a wait for a busy machine is a small part.
        let outcome = server.measure(&format!("--duration 1.6 --warm-up 0.1 {arguments}"));
        let [published, delivered, expected, lost, surplus] = counts(&outcome);
        assert_eq!([lost, surplus], [0, 0], "{arguments}");
        assert!(published > 0 && delivered > 0, "{arguments}: {outcome}");
        // Messages of the warm-up are among the expected ones.
        assert!(expected > published, "{arguments}: {outcome}");
        let seconds = outcome["published"]["seconds"].as_f64().expect("a number");
        assert!(seconds > 1.2, "{arguments}: {outcome}");
    }
}

/// The messages that were due while the generator was stopped have waited longest.
#[cfg(unix)]
#[test]
fn messages_due_before_the_end_are_measured_though_sent_later() {
    let server = Server::start();
    let arguments = "--json --rate 1000 --duration 1 --warm-up 0.2 --size 64";
    let mut command = command(&server.address(), arguments);
    let generator = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let id = Pid::from_child(&generator);
    thread::sleep(Duration::from_millis(900));
    kill_process(id, Signal::STOP).expect("it runs");
    thread::sleep(Duration::from_millis(600));
    kill_process(id, Signal::CONT).expect("it waits");
    let output = generator.wait_with_output().expect("it is a child");
    let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(outcome["published"]["messages"], 1000, "{outcome}");
    assert_eq!(outcome["latency"]["messages"], 1000, "{outcome}");
    let longest = outcome["latency"]["max_us"].as_f64().expect("a number");
    assert!(longest > 300e3, "{outcome}");
}

#[test]
fn rates_are_kept_and_latencies_shown() {
    let server = Server::start();
    // Long enough that a wait for a busy machine is a small part.
    let outcome = server.measure("--rate 1000 --duration 4 --warm-up 0.2 --size 64");
    let rate = outcome["published"]["messages_per_second"].as_f64();
    let rate = rate.expect("a number");
    assert!((950.0..1050.0).contains(&rate), "{outcome}");
    let latency = &outcome["latency"];
    assert_eq!(latency["from"], "intended");
    assert_eq!(outcome["published"]["messages"], 4000, "{outcome}");
    assert_eq!(latency["messages"], 4000, "{outcome}");
    let at = |name: &str| latency[name].as_f64().expect("a number");
    assert!(
        at("p50_us") > 1.0 && at("p50_us") <= at("p99_us"),
        "{outcome}"
    );
    assert!(at("p99_us") <= at("p999_us") && at("p999_us") <= at("max_us"));

    let outcome = server.measure("--request --messages 100 --size 8");
    assert_eq!(outcome["latency"]["from"], "sent");
    assert_eq!(outcome["latency"]["messages"], 100);
    for (arguments, note) in [
        ("--rate 1000 --size 7 --messages 10", "below 8 B"),
        ("--messages 10", "--rate"),
    ] {
        let outcome = server.measure(arguments);
        assert!(outcome["latency"].is_null(), "{outcome}");
        let told = outcome["latency_note"].as_str().expect("a note");
        assert!(told.contains(note), "{told}");
    }
}

#[test]
fn text_output_has_the_same_content() {
    let server = Server::start();
    let output = server.bench("--messages 5000 --subscribers 2 --rate 50000");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "1 publishers, 2 subscribers, 128 B, 50,000 messages/s",
        "delivered          10,000",
        "lost       0 of 10,000 deliveries",
        "µs, from the intended time",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn credentials_are_shown_and_refusals_explained() {
    let server = Server::described(&Description {
        user: Some(("anna", "s3cret")),
        ..Description::default()
    });
    let good = "--messages 10 --user anna --password s3cret";
    assert!(server.bench(good).status.success());
    let with = format!("nats://anna:s3cret@{}", server.address());
    assert!(bench(&with, "--messages 10").status.success());
    let by_variable = command(&server.address(), "--messages 10")
        .env("BROKER_USER", "anna")
        .env("BROKER_PASSWORD", "s3cret")
        .output();
    assert!(by_variable.expect("it starts").status.success());
    for wrong in ["", "--user anna --password x", "--token s3cret"] {
        let text = refusal(&server.bench(&format!("--messages 10 {wrong}")));
        assert!(text.contains("Authorization Violation"), "{text}");
        assert!(
            text.contains("--password") && !text.contains("s3cret"),
            "{text}"
        );
    }
    drop(server);
    let server = Server::described(&Description {
        token: Some("t0ken"),
        ..Description::default()
    });
    assert!(server.bench("--messages 10 --token t0ken").status.success());
    let text = refusal(&server.bench("--messages 10"));
    assert!(
        text.contains("--token") && !text.contains("t0ken"),
        "{text}"
    );
}

#[test]
fn too_large_a_payload_is_refused_before_it_is_sent() {
    let server = Server::start();
    let text = refusal(&server.bench("--messages 1 --size 1048577"));
    assert!(text.contains("max_payload of 1048576 B"), "{text}");
    assert!(text.contains("--size"), "{text}");
}

#[test]
fn a_server_that_ends_is_named() {
    for arguments in [
        "--duration 30",
        "--rate 1000",
        "--request",
        "--request --rate 100",
    ] {
        let server = Server::start();
        let load = command(&server.address(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(300));
        drop(server);
        let ended = Instant::now();
        let text = refusal(&load.wait_with_output().expect("it ends"));
        assert!(
            text.contains("closed the connection of"),
            "{arguments}: {text}"
        );
        assert!(ended.elapsed() < Duration::from_secs(5), "{arguments}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_shows_the_measurements() {
    let server = Server::start();
    for arguments in ["", "--rate 1000", "--request", "--request --rate 100"] {
        let line = format!("--json --duration 60 --warm-up 0 {arguments}");
        let load = command(&server.address(), &line)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(400));
        let id = i32::try_from(load.id()).expect("a process number");
        let id = rustix::process::Pid::from_raw(id).expect("a process number");
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
        let output = load.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130), "{arguments}: {output:?}");
        let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(outcome["complete"], false, "{arguments}");
        let [published, _, _, lost, _] = counts(&outcome);
        assert!(published > 0 && lost == 0, "{arguments}: {outcome}");
    }
}

#[test]
fn a_server_that_starts_a_moment_later_is_waited_for() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let number = port.local_addr().expect("it is bound").port();
    drop(port);
    let mut load = command(&format!("127.0.0.1:{number}"), "--messages 10 --quiet");
    let load = load.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let load = load.expect("it starts");
    thread::sleep(Duration::from_millis(100));
    let _server = Program::chosen().start(&Description::default(), number);
    let output = load.wait_with_output().expect("it is a child");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn subscribers_can_be_at_another_server() {
    // It is the same one, which is enough for the options.
    let server = Server::start();
    let other = server.address();
    let outcome = server.measure(&format!("--messages 100 --subscriber-server {other}"));
    assert_eq!(counts(&outcome), [100, 100, 100, 0, 0]);
}

#[test]
fn servers_that_are_not_connected_are_named() {
    let (one, other) = (Server::start(), Server::start());
    let arguments = format!("--messages 1 --subscriber-server {}", other.address());
    let text = refusal(&one.bench(&arguments));
    for address in [one.address(), other.address()] {
        assert!(text.contains(&address), "{text}");
    }
}

#[test]
fn a_refused_connection_is_named() {
    // Bound, so no other test gets the port, but not listening.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("a port");
    let address = socket.local_addr().expect("bound").as_socket();
    let address = address.expect("an IPv4 address").to_string();
    let text = refusal(&bench(&address, "--messages 1"));
    assert!(
        text.contains(&address) && text.contains("refused"),
        "{text}"
    );
}

/// Answers each connection with `serve`.
fn stand_in(serve: impl Fn(usize, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    thread::spawn(move || {
        for (place, stream) in listener.incoming().enumerate() {
            serve(place, stream.expect("accepted"));
        }
    });
    address
}

/// Sends INFO, then PONG to all input.
fn welcome(stream: &mut TcpStream) {
    let info = "INFO {\"server_name\":\"x\",\"version\":\"1\",\"max_payload\":1024}\r\n";
    stream.write_all(info.as_bytes()).expect("written");
    let mut lines = BufReader::new(stream.try_clone().expect("cloned")).lines();
    loop {
        let line = lines.next().expect("a line").expect("text");
        if line.starts_with("PING") {
            return stream.write_all(b"PONG\r\n").expect("written");
        }
    }
}

#[test]
fn another_protocol_is_reported() {
    let web = stand_in(|_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let text = refusal(&bench(&web, "--messages 1"));
    assert!(text.contains("does not speak the NATS protocol"), "{text}");
    let secure = stand_in(|_, mut stream| {
        let _ = stream.write_all(b"INFO {\"tls_required\":true}\r\n");
    });
    let text = refusal(&bench(&secure, "--messages 1"));
    assert!(text.contains("requires TLS"), "{text}");
}

#[test]
fn an_error_during_the_run_is_reported() {
    // Publishers connect first; the subscriber gets the error after it subscribed.
    let address = stand_in(|place, mut stream| {
        welcome(&mut stream);
        thread::spawn(move || {
            if place == 1 {
                let _ = stream.write_all(b"PONG\r\n-ERR 'Slow Consumer'\r\n");
            }
            let _ = stream.read_to_end(&mut Vec::new());
        });
    });
    let text = refusal(&bench(&address, "--messages 1000000 --size 100"));
    assert!(text.contains("'Slow Consumer' to subscriber 1"), "{text}");
}

#[test]
fn missing_messages_are_lost() {
    // A server that accepts everything and delivers three messages.
    let address = stand_in(|place, mut stream| {
        welcome(&mut stream);
        thread::spawn(move || {
            let mut lines = BufReader::new(stream.try_clone().expect("cloned")).lines();
            while let Some(Ok(line)) = lines.next() {
                if line == "PING" {
                    let _ = stream.write_all(b"PONG\r\n");
                    if place == 1 {
                        let message = b"MSG bench.x.0 1 5\r\nabcde\r\n";
                        let _ = stream.write_all(&message.repeat(3));
                    }
                }
            }
        });
    });
    let output = bench(&address, "--json --messages 10 --size 5");
    assert!(output.status.success(), "{output:?}");
    let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(counts(&outcome), [10, 3, 10, 7, 0]);
}

#[test]
fn publishers_and_subscribers_answer_pings() {
    let answered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&answered);
    let address = stand_in(move |_, mut stream| {
        welcome(&mut stream);
        let count = Arc::clone(&count);
        thread::spawn(move || {
            let _ = stream.write_all(b"PING\r\n");
            let mut lines = BufReader::new(stream.try_clone().expect("cloned")).lines();
            while let Some(Ok(line)) = lines.next() {
                match line.as_str() {
                    "PING" => drop(stream.write_all(b"PONG\r\n")),
                    "PONG" => drop(count.fetch_add(1, Relaxed)),
                    _ => {}
                }
            }
        });
    });
    for arguments in ["", "--rate 1000", "--request", "--request --rate 1000"] {
        let line = format!("--duration 0.1 --warm-up 0 --size 5 {arguments}");
        let output = bench(&address, &line);
        assert!(output.status.success(), "{arguments}: {output:?}");
        assert_eq!(answered.swap(0, Relaxed), 2, "{arguments}");
    }
}

#[test]
fn usage_errors_name_what_is_wrong() {
    for (arguments, part) in [
        ("--duration=-1", "0 to 86400"),
        ("--messages 0", "--messages"),
        ("--publishers 60001", "0 to 60000"),
        ("--user anna", "--password"),
        ("--size x", "--size"),
    ] {
        let output = bench("127.0.0.1:1", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(part), "{arguments}: {text}");
    }
    let text = refusal(&bench("127.0.0.1:x", ""));
    assert!(text.contains("is not a server address"), "{text}");
    let text = refusal(&bench("127.0.0.1:1", "--publishers 0"));
    assert!(text.contains("--publishers 1 or more"), "{text}");
}
