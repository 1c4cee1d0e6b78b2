//! nats-server's flags.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;
use crate::drain::with_a_stuck_client;
use crate::http::get;
use crate::server::{PATIENCE, Process, Server, program};

/// Returns a path that no other test uses.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("broker-{name}-{}-{count}", std::process::id());
    std::env::temp_dir().join(name)
}

/// Starts a server with only these arguments.
fn start(arguments: &[&str]) -> Process {
    let mut command = Command::new(program());
    command.arg("serve").args(arguments);
    Process::start(command)
}

/// Waits until the file contains the text. Returns the content.
fn wait_for(path: &Path, text: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = fs::read_to_string(path).unwrap_or_default();
        if found.contains(text) {
            return found;
        }
        assert!(Instant::now() < deadline, "no {text:?} in {found:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until the file has content. It is written just after the port is logged.
pub(crate) fn wait_for_any(path: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::read_to_string(path) {
            Ok(text) if !text.is_empty() => return text,
            _ => thread::sleep(Duration::from_millis(2)),
        }
        assert!(Instant::now() < deadline, "{} is empty", path.display());
    }
}

#[test]
fn letters_and_names_of_nats_server_are_understood() {
    for arguments in [
        &[
            "-a",
            "127.0.0.1",
            "-p",
            "-1",
            "-m",
            "-1",
            "-n",
            "ada",
            "-DV",
        ][..],
        &[
            "--net=127.0.0.1",
            "--port=-1",
            "--http_port=-1",
            "--server_name=ada",
            "--debug",
            "--trace",
        ],
        &[
            "--addr",
            "localhost",
            "-p=-1",
            "-m=-1",
            "--name",
            "ada",
            "-D",
            "-V",
        ],
    ] {
        let arguments = [arguments, &["--user", "u", "--pass", "p"]].concat();
        let process = start(&arguments);
        let mut client = Client::to(process.port);
        assert_eq!(client.read_info()["server_name"], "ada");
        client.send("CONNECT {\"verbose\":false,\"user\":\"u\",\"pass\":\"p\"}\r\n");
        client.sync();
        drop(client);
        process.wait_for_log("DEBUG");
        let (status, _) = get(process.port_after("http monitor on "), "/healthz");
        assert!(status.contains(" 200 "), "{status}");
    }
    let process = start(&["-p", "-1", "--auth", "t"]);
    let mut client = Client::to(process.port);
    assert_eq!(client.read_info()["auth_required"], true);
    client.send("CONNECT {\"verbose\":false,\"auth_token\":\"t\"}\r\n");
    client.sync();
}

#[test]
fn flags_that_contradict_are_both_named() {
    for (arguments, named) in [
        (
            &["-p", "1", "--listen", "127.0.0.1:0"][..],
            ["--port", "--listen"],
        ),
        (
            &["-a", "::1", "--listen", "127.0.0.1:0"],
            ["--addr", "--listen"],
        ),
        (
            &["-m", "1", "--http", "127.0.0.1:0"],
            ["--http_port", "--http "],
        ),
        (&["-D", "--log-level", "info"], ["--debug", "--log-level"]),
        (&["--auth", "t", "--user", "u"], ["--token", "--user"]),
        (&["--auth", "t", "--token", "u"], ["--token", "multiple"]),
        (&["-p", "0"], ["--port", "-1"]),
        (&["-p", "65536"], ["--port", "65535"]),
        (&["-a", "no such host"], ["--addr", "no such host"]),
    ] {
        let mut command = Command::new(program());
        let output = command.arg("serve").args(arguments).output();
        let output = output.expect("the executable starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        for name in named {
            assert!(text.contains(name), "{name} is not in {text:?}");
        }
    }
}

#[test]
fn the_pid_file_is_there_while_it_listens() {
    let (path, folder) = (scratch("pid"), scratch("ports"));
    fs::create_dir(&folder).expect("a folder");
    let [text, ports] = [&path, &folder].map(|path| path.to_str().expect("plain letters"));
    for at_once in [false, true] {
        let mut server = Server::start(&[
            "-P",
            text,
            "--ports_file_dir",
            ports,
            "--drain-timeout",
            "1000",
        ]);
        assert_eq!(wait_for_any(&path), server.id().to_string());
        wait_for_any(&folder.join(format!("broker_{}.ports", server.id())));
        let clients = at_once.then(|| with_a_stuck_client(&server));
        server.signal(Signal::TERM);
        if at_once {
            server.wait_for_log("draining");
            server.signal(Signal::TERM);
        }
        assert_eq!(server.wait().code(), Some(i32::from(at_once)));
        assert!(!path.exists());
        assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 0);
        drop(clients);
    }
    fs::remove_dir(&folder).expect("it is empty");
}

#[test]
fn a_server_that_does_not_start_leaves_no_pid_file() {
    let path = scratch("pid");
    let mut command = Command::new(program());
    let command = command.args([
        "serve",
        "-p",
        "-1",
        "--ports_file_dir",
        "/nonexistent",
        "-P",
    ]);
    let output = command.arg(&path).output().expect("the executable starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("--ports_file_dir"), "{text}");
    assert!(!path.exists());
}

#[test]
fn the_pid_file_of_another_process_stays() {
    let path = scratch("pid");
    let mut server = Server::start(&["--pid", path.to_str().expect("plain letters")]);
    server.connect().sync();
    wait_for_any(&path);
    fs::write(&path, "1").expect("there is room");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "1");
    fs::remove_file(path).expect("it is there");
}

/// A server that logs to a file, killed when dropped.
struct Logging(Child);

impl Logging {
    fn start(log: &Path, pid: &Path) -> Self {
        let mut command = Command::new(program());
        command.args(["serve", "-p", "-1", "-l"]).arg(log);
        command.arg("-P").arg(pid).stderr(Stdio::piped());
        Self(command.spawn().expect("the executable starts"))
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_file_replaces_standard_error_and_can_be_reopened() {
    let (path, moved, pid) = (scratch("log"), scratch("log"), scratch("pid"));
    let mut child = Logging::start(&path, &pid);
    wait_for(&path, "client connections on");
    wait_for_any(&pid);
    fs::rename(&path, &moved).expect("it is there");
    let process = Pid::from_child(&child.0);
    kill_process(process, Signal::USR1).expect("it runs");
    wait_for(&path, "reopened the log file");
    kill_process(process, Signal::TERM).expect("it runs");
    assert_eq!(child.0.wait().expect("it is a child").code(), Some(0));
    let [first, second] = [&moved, &path].map(|path| wait_for(path, ""));
    assert!(!first.contains("drained") && second.contains("drained"));
    assert!(!second.contains("client connections on"));
    let mut errors = String::new();
    let mut stderr = child.0.stderr.take().expect("it is piped");
    std::io::Read::read_to_string(&mut stderr, &mut errors).expect("text");
    assert_eq!(errors, "");
    for path in [path, moved] {
        fs::remove_file(path).expect("it is there");
    }
}

#[test]
fn files_that_cannot_be_written_are_named() {
    let server = Server::start(&[]);
    let taken = format!("127.0.0.1:{}", server.port);
    let log = scratch("log");
    let log = log.to_str().expect("plain letters");
    for (arguments, named) in [
        (
            &["-p", "-1", "--log", "/does/not/exist"][..],
            ["/does/not/exist", "--log"],
        ),
        (
            &["-p", "-1", "--pid", "/does/not/exist"],
            ["/does/not/exist", "--pid"],
        ),
        // A user who starts it by hand does not look into the log first.
        (&["--listen", &taken, "--log", log], [&taken, "--listen"]),
    ] {
        let mut command = Command::new(program());
        let output = command.arg("serve").args(arguments).output();
        let output = output.expect("the executable starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        for name in named {
            assert!(text.contains(name), "{name} is not in {text:?}");
        }
    }
    assert!(wait_for(Path::new(log), "cannot listen").contains(&taken));
    fs::remove_file(log).expect("it is there");
}
