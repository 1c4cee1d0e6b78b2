//! What signals do beside ending the server.

use rustix::process::Signal;

use crate::drain::with_a_stuck_client;
use crate::server::Server;

#[test]
fn there_is_nothing_to_reload_and_no_log_file_to_open() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for (signal, name) in [(Signal::HUP, "SIGHUP"), (Signal::USR1, "SIGUSR1")] {
        server.signal(signal);
        server.wait_for_log(name);
        client.sync();
        server.connect().sync();
    }
}

#[test]
fn a_lame_duck_drains() {
    let mut server = Server::start(&[]);
    let mut subscriber = server.connect();
    subscriber.send("SUB last 1\r\n");
    subscriber.sync();
    let mut publisher = server.connect();
    publisher.send("PUB last 1\r\nx\r\n".repeat(1000));
    publisher.sync();
    server.signal(Signal::USR2);
    subscriber.expect("MSG last 1 1\r\nx\r\n".repeat(1000));
    assert_eq!(subscriber.read_info()["ldm"], true);
    subscriber.expect_end();
    assert_eq!(server.wait().code(), Some(0));
    server.wait_for_log("lame duck");
    server.wait_for_log("drained");
}

#[test]
fn while_it_drains_only_signals_to_end_do_that_at_once() {
    let mut server = Server::start(&["--drain-timeout", "1000"]);
    let _clients = with_a_stuck_client(&server);
    server.signal(Signal::USR2);
    server.wait_for_log("draining");
    server.signal(Signal::HUP);
    server.wait_for_log("SIGHUP");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(1));
    server.wait_for_log("second signal");
}
