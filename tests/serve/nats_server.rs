//! Broker under the name `nats-server`, by nats-server's command line.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};

use rustix::process::Signal;

use crate::client::Client;
use crate::http::get;
use crate::nats_flags::{scratch, wait_for_any};
use crate::server::{Process, Server, program};

/// A folder with a link to Broker.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = scratch("name");
        fs::create_dir(&folder).expect("a folder");
        symlink(program(), folder.join("nats-server")).expect("a link");
        Self(folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0.join("nats-server"));
        command.args(arguments);
        command
    }

    fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments))
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output();
        output.expect("the executable starts")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn it_logs_and_announces_its_ports_as_nats_server_does() {
    let folder = Folder::new();
    let path = folder.0.to_str().expect("plain letters");
    let mut process = folder.start(&["-p", "-1", "-m", "-1", "-ports_file_dir", path, "-n", "ada"]);
    let ready = process.wait_for_log("Server is ready");
    let (number, rest) = ready.split_once("] ").expect("the pid");
    assert_eq!(number, format!("[{}", process.id()));
    let (time, text) = rest.split_at("2026/11/26 14:05:49.193590".len());
    assert_eq!(time.matches(['/', ':']).count(), 4, "{time}");
    assert_eq!(text, " [INF] Server is ready");
    process.wait_for_log(&format!(
        "[INF] Listening for client connections on 0.0.0.0:{}",
        process.port
    ));
    let http = process.port_after("[INF] Starting http monitor on ");
    let file = folder.0.join(format!("nats-server_{}.ports", process.id()));
    let ports = wait_for_any(&file);
    let ports: serde_json::Value = serde_json::from_str(&ports).expect("JSON");
    let nats = format!("nats://127.0.0.1:{}", process.port);
    assert_eq!(ports["nats"], serde_json::json!([nats]));
    let monitoring = format!("http://127.0.0.1:{http}");
    assert_eq!(ports["monitoring"], serde_json::json!([monitoring]));
    assert!(get(http, "/healthz").0.contains(" 200 "));
    assert_eq!(Client::to(process.port).read_info()["server_name"], "ada");
    process.signal(Signal::TERM);
    assert_eq!(process.wait().code(), Some(0));
    assert!(!file.exists());
}

#[test]
fn a_flag_that_broker_cannot_have_is_an_error_that_says_what_to_do() {
    let folder = Folder::new();
    for (arguments, text) in [
        (
            &["-js"][..],
            "nats-server: flag -js: Broker does not store messages; make it a leaf node of a server with JetStream with --leaf\n",
        ),
        (
            &["-p", "4222", "--routes", "nats-route://x:1"],
            "nats-server: flag -routes: Broker does not form clusters; make it a leaf node of one with --leaf\n",
        ),
        (&["--tls"], "nats-server: TLS needs -tlscert and -tlskey\n"),
    ] {
        let output = folder.output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), text);
    }
    let help = folder.output(&["-h"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("--ports_file_dir"));
    let version = folder.output(&["-v"]);
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("nats-server: v2."));
}

#[cfg(feature = "tls")]
#[test]
fn flags_for_tls_are_those_of_nats_server() {
    use std::io::{Read, Write};
    let folder = Folder::new();
    let files = crate::certificates::Files::new("nats-server");
    let [certificate, key, ca] =
        ["server.pem", "server.key", "ca.pem"].map(|name| files.path(name));
    for verify in ["--tls", "--tlsverify"] {
        let process = folder.start(&[
            "-a",
            "127.0.0.1",
            "-p",
            "-1",
            verify,
            "--tlscert",
            &certificate,
            "-tlskey",
            &key,
            "--tlscacert",
            &ca,
        ]);
        let mut plain = Client::to(process.port);
        let info = plain.read_info();
        assert_eq!(info["tls_required"], true);
        assert_eq!(info["tls_verify"] == true, verify == "--tlsverify");
        let mut client = files.encrypt(plain, verify == "--tlsverify");
        client.write_all(b"PING\r\n").expect("written");
        let mut pong = [0; 6];
        client.read_exact(&mut pong).expect("it comes");
        assert_eq!(&pong, b"PONG\r\n");
    }
}

#[test]
fn the_trace_shows_the_lines_of_the_protocol_without_secrets() {
    let server = Server::start(&["--token", "secret-token", "--log-level", "trace"]);
    let mut client = Client::to(server.port);
    let id = client.read_info()["client_id"].clone();
    client.send(
        "CONNECT {\"verbose\":false,\"auth_token\":\"secret-token\",\"headers\":true}\r\n\
         SUB foo.* bar 7\r\nHPUB foo.a re 12 15\r\nNATS/1.0\r\n\r\nabc\r\nPUB foo.b 3\r\nabc\r\n\
         UNSUB 7 9\r\nPING\r\n",
    );
    client
        .expect("HMSG foo.a 7 re 12 15\r\nNATS/1.0\r\n\r\nabc\r\nMSG foo.b 7 3\r\nabc\r\nPONG\r\n");
    client.send("SUB foo..a 8\r\nnonsense\r\n");
    client.expect("-ERR 'Invalid Subject'\r\n-ERR 'Unknown Protocol Operation'\r\n");
    server.wait_for_log("Unknown Protocol Operation']");
    let log = server.log();
    let marker = format!(" - cid:{id} - ");
    let lines = log.iter().filter_map(|line| line.split_once(&marker));
    let lines = lines.map(|(_, line)| line);
    let lines: Vec<_> = lines.filter(|line| !line.contains("[INFO ")).collect();
    assert_eq!(
        lines,
        [
            r#"<<- [CONNECT {"auth_token":"[REDACTED]","headers":true,"verbose":false}]"#,
            "<<- [SUB foo.* bar 7]",
            "<<- [HPUB foo.a re 12 15]",
            "->> [HMSG foo.a 7 re 12 15]",
            "<<- [PUB foo.b 3]",
            "->> [MSG foo.b 7 3]",
            "<<- [UNSUB 7 9]",
            "<<- [PING]",
            "->> [PONG]",
            "<<- [SUB foo..a 8]",
            "->> [-ERR 'Invalid Subject']",
            "->> [-ERR 'Unknown Protocol Operation']",
        ]
    );
    assert!(!log.iter().any(|line| line.contains("secret-token")));
}

#[test]
#[cfg(target_os = "linux")]
fn its_signals_go_to_a_server_of_the_same_name() {
    let folder = Folder::new();
    let path = folder.0.join("pid");
    let text = path.to_str().expect("plain letters");
    let mut process = folder.start(&["-a", "127.0.0.1", "-p", "-1", "-P", text]);
    wait_for_any(&path);
    let output = folder.output(&["-sl", &format!("reload={text}")]);
    assert!(output.status.success());
    process.wait_for_log("SIGHUP");
    let output = folder.output(&["--signal", &format!("quit={}", process.id())]);
    assert!(output.status.success());
    assert_eq!(process.wait().code(), Some(0));
}
