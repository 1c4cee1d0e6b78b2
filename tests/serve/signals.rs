//! Signals that do not end the server.

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
fn while_it_drains_only_signals_to_end_do_that_at_once() {
    let mut server = Server::start(&["--drain-timeout", "1000"]);
    let _clients = with_a_stuck_client(&server);
    server.signal(Signal::TERM);
    server.wait_for_log("draining");
    server.signal(Signal::HUP);
    server.wait_for_log("SIGHUP");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(1));
    server.wait_for_log("second signal");
}
