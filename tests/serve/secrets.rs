//! Tokens, users and passwords.

use crate::client::Bystanders;
use crate::server::Server;

fn refused(server: &Server, connect: &str) {
    let mut client = server.open();
    client.send(connect);
    client.expect("-ERR 'Authorization Violation'\r\n");
    client.expect_end();
}

#[test]
fn a_wrong_user_and_a_wrong_password_look_the_same() {
    let server = Server::start(&["--user", "ada", "--password", "secret"]);
    for connect in [
        "CONNECT {\"user\":\"ada\",\"pass\":\"wrong!\"}\r\n",
        "CONNECT {\"user\":\"ada\",\"pass\":\"secre\"}\r\n",
        "CONNECT {\"user\":\"bob\",\"pass\":\"secret\"}\r\n",
        "CONNECT {\"user\":\"ada\"}\r\n",
        "CONNECT {\"pass\":\"secret\"}\r\n",
        "CONNECT {\"auth_token\":\"secret\"}\r\n",
        "CONNECT {}\r\n",
        "SUB > 1\r\n",
        "PUB a 1\r\nx\r\n",
        "PING\r\n",
    ] {
        refused(&server, connect);
    }
    let mut client = server.open();
    client.send("CONNECT {\"verbose\":false,\"user\":\"ada\",\"pass\":\"secret\"}\r\n");
    client.sync();
}

/// A hashed password is checked by another thread.
#[test]
fn the_log_names_rejected_users_but_no_secrets() {
    const HASH: &str = "$2a$04$a0j2bETjZg/gcVPjaw/tYuhozCBVdrhGO16Ow/.mBbxEvIsq.MeFq";
    for password in ["right", HASH] {
        let server = Server::start(&["--user", "ada", "--password", password]);
        for (connect, rejected) in [
            (r#"{"user":"ada","pass":"s3cret"}"#, r#": user "ada""#),
            (r#"{"user":"eve\n","pass":"s3cret"}"#, r#": user "eve\n""#),
            (r#"{"auth_token":"s3cret"}"#, ": a token"),
            ("{}", ": no credentials"),
        ] {
            refused(&server, &format!("CONNECT {connect}\r\n"));
            let line = server.wait_for_log(rejected);
            let end = format!(": Authorization Violation{rejected}");
            assert!(line.trim_end().ends_with(&end), "{line}");
        }
        let log = server.log().concat();
        assert!(!log.contains("s3cret"), "{log}");
    }
}

#[test]
fn a_secret_can_come_from_a_file() {
    let directory = std::env::temp_dir();
    let path = directory.join(format!("broker-token-{}", std::process::id()));
    std::fs::write(&path, "from a file\n").expect("there is room");
    let server = Server::start(&["--token-file", path.to_str().expect("plain letters")]);
    std::fs::remove_file(path).expect("it was written");
    let mut client = server.open();
    client.send("CONNECT {\"verbose\":false,\"auth_token\":\"from a file\"}\r\n");
    client.sync();
    refused(&server, "CONNECT {\"auth_token\":\"from a file\\n\"}\r\n");
    client.sync();
}

#[test]
fn without_configured_credentials_any_are_accepted() {
    let server = Server::start(&[]);
    let mut client = server.open();
    client
        .send("CONNECT {\"verbose\":false,\"user\":\"x\",\"pass\":\"y\",\"auth_token\":\"z\"}\r\n");
    client.sync();
    Bystanders::of(&server).check();
}

#[test]
fn checking_a_hashed_password_delays_no_other_client() {
    // The hash of `secret`, with 2,048 rounds.
    const HASH: &str = "$2b$11$WCVMWV7aJF9s.uFBnF5BzeylZ8ofVCYQJpg7bxA6XsAGa0pGCWeQi";
    let server = Server::start(&["--user", "ada", "--password", HASH, "--workers", "1"]);
    let mut known = server.open();
    // The rest of the same write waits for the check, and is not lost.
    known.send("CONNECT {\"verbose\":false,\"user\":\"ada\",\"pass\":\"secret\"}\r\nSUB a 1\r\nPUB a 1\r\nx\r\n");
    known.expect("MSG a 1 1\r\nx\r\n");
    let wrong = "CONNECT {\"user\":\"ada\",\"pass\":\"wrong\"}\r\nPING\r\n";
    let mut strangers: Vec<_> = std::iter::repeat_with(|| server.open()).take(4).collect();
    for stranger in &mut strangers {
        stranger.send(wrong);
    }
    // On a worker that checked passwords itself, each of these would wait for all checks.
    for _ in 0..100 {
        known.sync();
    }
    for stranger in &mut strangers {
        let before = stranger.stream.set_nonblocking(true);
        before.expect("it is a socket");
        let mut byte = [0];
        let peeked = stranger.stream.peek(&mut byte);
        stranger
            .stream
            .set_nonblocking(false)
            .expect("it is a socket");
        if peeked.is_ok() {
            continue;
        }
        // At least one password was still being checked when the others had finished.
        for stranger in &mut strangers {
            stranger.expect("-ERR 'Authorization Violation'\r\n");
            stranger.expect_end();
        }
        return;
    }
    panic!("a hundred PINGs were answered after all of the checks");
}
