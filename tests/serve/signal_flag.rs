//! `--signal`, which sends a signal to a running Broker.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::nats_flags::{scratch, wait_for_any};
use crate::server::{Process, Server, program};

/// Makes `program` send a signal. Returns its exit code and output.
fn send(program: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program).arg("serve").args(arguments).output();
    let output = output.expect("the executable starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

fn sent(arguments: &[&str]) {
    let (code, text) = send(&program(), arguments);
    assert_eq!((code, &*text), (Some(0), ""), "{arguments:?}");
}

#[test]
fn each_name_sends_its_signal() {
    for (word, log) in [
        ("reload", "SIGHUP"),
        ("reopen", "SIGUSR1"),
        ("ldm", "lame duck"),
        ("quit", "drained"),
        ("term", "drained"),
    ] {
        let server = Server::start(&[]);
        sent(&["--signal", &format!("{word}={}", server.id())]);
        server.wait_for_log(log);
    }
    let mut server = Server::start(&[]);
    sent(&["-sl", &format!("stop={}", server.id())]);
    // SIGKILL, which a program cannot handle.
    assert_eq!(server.wait().signal(), Some(9));
}

#[test]
fn a_pid_file_selects_the_process() {
    let path = scratch("pid");
    let text = path.to_str().expect("plain letters");
    let mut server = Server::start(&["--pid", text]);
    wait_for_any(&path);
    sent(&[&format!("-sl=quit={text}")]);
    assert_eq!(server.wait().code(), Some(0));
}

/// A copy of the program, which no other test runs.
struct Copied(PathBuf);

impl Copied {
    fn new() -> Self {
        let path = scratch("copy");
        // If this process wrote the file, it could be busy: other tests fork this process at any
        // time.
        let copied = Command::new("cp").arg(program()).arg(&path).status();
        assert!(copied.expect("there is cp").success());
        Self(path)
    }

    fn start(&self) -> Process {
        let mut command = Command::new(&self.0);
        command.args(["serve", "--port", "-1"]);
        Process::start(command)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_pid_the_only_server_gets_the_signal() {
    let copied = Copied::new();
    let none = (Some(1), "broker: no broker processes running\n".to_owned());
    assert_eq!(send(&copied.0, &["--signal", "quit"]), none);
    // This server is another program.
    let _other = Server::start(&[]);
    assert_eq!(send(&copied.0, &["--signal", "quit"]), none);
    let mut first = copied.start();
    let mut second = copied.start();
    let mut pids = [first.id(), second.id()];
    pids.sort_unstable();
    let [low, high] = pids;
    let several = format!("broker: multiple broker processes running:\n{low}\n{high}\n");
    assert_eq!(send(&copied.0, &["--signal", "quit"]), (Some(1), several));
    let number = format!("quit={}", first.id());
    assert_eq!(send(&copied.0, &["--signal", &number]).0, Some(0));
    assert_eq!(first.wait().code(), Some(0));
    assert_eq!(send(&copied.0, &["--signal", "quit"]).0, Some(0));
    assert_eq!(second.wait().code(), Some(0));
}

#[test]
fn signal_errors_are_named() {
    for (argument, expected, named) in [
        ("--signal=kill", 2, "unknown signal \"kill\""),
        ("--signal=quit=0", 2, "invalid pid: 0"),
        ("--signal=quit=/dev/null", 1, "/dev/null"),
        ("--signal=quit=/does/not/exist", 1, "/does/not/exist"),
        // More than Linux ever assigns.
        ("--signal=quit=2147483647", 1, "2147483647"),
    ] {
        let (code, text) = send(&program(), &[argument]);
        assert_eq!(code, Some(expected), "{argument}: {text}");
        assert!(text.contains(named), "{named} is not in {text:?}");
    }
}
