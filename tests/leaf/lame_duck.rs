//! In lame duck mode, the server keeps its link until its clients have left.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::server::PATIENCE;
use crate::stage::Stage;

#[test]
fn the_link_is_closed_after_the_clients() {
    let stage = Stage::new();
    let mut edge = stage.leaf(&[
        "--lame-duck-duration",
        "2.5",
        "--lame-duck-grace-period",
        "0.5",
    ]);
    let (mut hub, _) = stage.link();
    hub.send("LS+ a\r\nPING\r\n");
    hub.expect("PONG\r\n");
    let mut clients = [edge.connect(), edge.connect()];
    edge.signal(Signal::USR2);
    for client in &mut clients {
        assert_eq!(client.read_info()["ldm"], true);
        client.send("PUB a 1\r\nx\r\n");
        hub.expect("LMSG a 1\r\nx\r\n");
        let shortly = Some(Duration::from_millis(5));
        client.stream.set_read_timeout(shortly).expect("not zero");
    }
    let deadline = Instant::now() + PATIENCE;
    let has_ended = |client: &crate::client::Client| client.stream.peek(&mut [0]).is_ok();
    while !clients.iter().any(has_ended) {
        assert!(Instant::now() < deadline, "no client is disconnected");
    }
    let left = clients.iter().position(|client| !has_ended(client));
    let left = &mut clients[left.expect("one is let go at a time")];
    left.send("PUB a 1\r\ny\r\n");
    hub.expect("LMSG a 1\r\ny\r\n");
    left.stream
        .set_read_timeout(Some(PATIENCE))
        .expect("not zero");
    left.expect_end();
    hub.expect_end();
    assert_eq!(edge.wait().code(), Some(0));
}
