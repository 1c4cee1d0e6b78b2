//! Attacks on the log, and bytes that are not allowed in subjects.

use std::time::Duration;

use crate::arena::{Attack, scaled};
use crate::client::{Client, Frame};

#[test]
fn a_name_with_a_line_of_its_own_in_the_log() {
    let attack = Attack::new("forged line").flags(&["--log-level", "debug"]);
    attack.run(|target| {
        let mut client = target.server.open();
        client.send("CONNECT {\"verbose\":false,\"name\":\"x\\nforged: all is well\"}\r\n");
        client.sync();
        // Its name is logged when it is closed.
        client.send_in_vain(b"nonsense\r\n");
        client.read_to_end();
        target.server.wait_for_log("forged");
        let log = target.server.log();
        let forged = log.iter().find(|line| line.starts_with("forged"));
        target.expect(forged.is_none(), format!("{forged:?} is a line of the log"));
    });
}

#[test]
fn refused_connections_on_an_unread_log() {
    let attack = Attack::new("refused").flags(&["--max-connections", "10"]);
    attack.run(|target| {
        let kept = target.connect_many(5);
        let lines = target.server.log().len();
        let count = scaled(3000, 1000);
        for _ in 0..count {
            drop(target.open());
        }
        let written = target.server.log().len() - lines;
        target.server.leave_log_unread(true);
        // Enough lines to fill the log's pipe, if each connection had one.
        for _ in 0..count {
            if target.open().is_none() {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(300));
        target.server.leave_log_unread(false);
        drop(kept);
        let told = format!("{written} lines for {count} refused");
        target.expect(written < 100, told);
    });
}

#[test]
fn subjects_with_control_bytes() {
    Attack::new("control bytes").run(|target| {
        let mut subscriber = target.server.connect();
        subscriber.send("SUB raw.> 1\r\n");
        subscriber.sync();
        for subject in [
            "raw.a\rb",
            "raw.a\0b",
            "raw.a\x01b",
            "raw.a\x7fb",
            "raw.a\x1bb",
        ] {
            let mut client = Client::to(target.server.port);
            client.read_info();
            client.connect();
            client.send_in_vain(format!("PUB {subject} 0\r\n\r\nPING\r\n").as_bytes());
            let _ = client.stream.shutdown(std::net::Shutdown::Write);
            client.read_to_end();
        }
        subscriber.send("PUB raw.end 0\r\n\r\n");
        let first = subscriber.frame();
        let Some(Frame::Message { subject, .. }) = first else {
            panic!("{first:?}");
        };
        let passed_on = format!("{subject:?} is passed on");
        target.expect(subject == "raw.end", passed_on);
    });
}
