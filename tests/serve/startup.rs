//! Startup errors name their cause and what to do.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use crate::client::Client;
use crate::server::{Server, program};

/// Runs the program to its end. Returns its exit code and output.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(program())
        .arg("serve")
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the executable starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

#[test]
fn bad_flags_and_variables_are_named() {
    /// Arguments, variables, and the expected texts.
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (&["--listen", "nowhere"], &[], &["--listen", "nowhere"]),
        (&["--max-payload", "-1"], &[], &["-1"]),
        (&["--max-payload", "0"], &[], &["--max-payload", "0"]),
        (&["--max-payload", "many"], &[], &["--max-payload", "many"]),
        (&["--max-control-line", "1"], &[], &["--max-control-line"]),
        (&["--workers", "0"], &[], &["--workers"]),
        (&["--max-memory", "1000000"], &[], &["--max-memory"]),
        (&["--ping-interval", "0"], &[], &["--ping-interval"]),
        (&["--ping-interval", "NaN"], &[], &["--ping-interval"]),
        (&["--log-level", "loud"], &[], &["--log-level", "loud"]),
        (&["--tls-cert", "x"], &[], &["--tls-key"]),
        (&["--tls-handshake-first", "soon"], &[], &["auto"]),
        (
            &["--token", "a", "--user", "b"],
            &[],
            &["--token", "--user"],
        ),
        (
            &["--token", "a", "--token-file", "b"],
            &[],
            &["--token", "--token-file"],
        ),
        (
            &["--password", "a", "--password-file", "b"],
            &[],
            &["--password-file"],
        ),
        (&["--unheard-of"], &[], &["--unheard-of"]),
        (
            &[],
            &[("BROKER_MAX_PENDING", "lots")],
            &["--max-pending", "lots"],
        ),
        (
            &[],
            &[("BROKER_LISTEN", "127.0.0.1:99999")],
            &["--listen", "99999"],
        ),
    ];
    for (arguments, variables, named) in cases {
        let (code, text) = run(arguments, variables);
        assert_eq!(code, Some(2), "{arguments:?} {variables:?}: {text}");
        for name in *named {
            assert!(text.contains(name), "{name} is not in {text:?}");
        }
    }
}

#[test]
fn errors_found_after_parsing_the_flags_are_one_line() {
    for (arguments, named) in [
        (&["--user", "ada"][..], "--password"),
        (&["--password", "x"], "--user"),
        (&["--token", ""], "empty"),
        (
            &["--lame-duck-grace-period", "120"],
            "--lame-duck-duration (120 s)",
        ),
        (&["--token-file", "/does/not/exist"], "/does/not/exist"),
        (
            &["--user", "ada", "--password-file", "/dev/null"],
            "/dev/null",
        ),
    ] {
        let (code, text) = run(arguments, &[]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(named), "{named} is not in {text:?}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = Server::start(&[]);
    let address = format!("127.0.0.1:{}", server.port);
    for flag in ["--listen", "--http"] {
        let (code, text) = run(
            &["--listen", "127.0.0.1:0", flag, &address][if flag == "--listen" { 2 } else { 0 }..],
            &[],
        );
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(&address) && text.contains(flag), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    server.connect().sync();
}

#[test]
fn help_shows_every_default() {
    let output = Command::new(program())
        .args(["serve", "--help"])
        .output()
        .expect("the executable starts");
    let help = String::from_utf8_lossy(&output.stdout);
    for default in [
        "127.0.0.1:4222; with --config or as nats-server, 0.0.0.0:4222",
        "1048576",
        "4096",
        "65536",
        "67108864",
        "1073741824",
        "120",
        "info",
        "text",
    ] {
        assert!(
            help.contains(&format!("[default: {default}]")),
            "{default}: {help}"
        );
    }
}

#[test]
fn a_public_address_without_credentials_is_a_warning() {
    let server = Server::start(&["--listen", "0.0.0.0:0"]);
    server.wait_for_log("WARN");
    server.connect().sync();
}

#[test]
fn any_address_of_one_family_is_any_address_of_the_other() {
    if TcpListener::bind("[::1]:0").is_err() {
        // The machine has no IPv6.
        return;
    }
    for host in ["[::]", "0.0.0.0"] {
        let any = format!("{host}:0");
        let server = Server::start(&["--listen", &any, "--http", &any]);
        server.wait_for_log(&format!("client connections on {host}:{}", server.port));
        let mut client = Client::to(server.port);
        assert_eq!(client.read_info()["client_ip"], "127.0.0.1");
        for port in [server.port, server.http_port()] {
            for address in ["127.0.0.1", "::1"] {
                TcpStream::connect((address, port)).expect("it listens there");
            }
        }
    }
}

#[test]
fn help_states_the_memory_limit() {
    let output = Command::new(program())
        .args(["serve", "--help"])
        .output()
        .expect("the executable starts");
    let help = String::from_utf8_lossy(&output.stdout);
    let formula = "32 MiB + --workers x 16 MiB + 1.25 x --max-memory";
    assert!(help.contains(formula), "{help}");
}

#[test]
fn logs_can_be_json() {
    let server = Server::start(&["--log-format", "json"]);
    let line = server.wait_for_log("client connections on");
    let json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(json["level"], "INFO");
}
