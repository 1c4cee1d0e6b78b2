//! `broker bench` from the leaf node to the hub and back.

use std::process::Command;
use std::time::Duration;

use crate::hub::Hub;
use crate::server::program;

#[test]
#[ignore = "needs nats-server: HUB"]
fn every_message_across_the_link_is_counted() {
    let hub = Hub::start("");
    let edge = hub.leaf(&["--workers", "2"]);
    let [edge, hub] = [edge.port, hub.port].map(|port| format!("127.0.0.1:{port}"));
    for (server, other) in [(&edge, &hub), (&hub, &edge)] {
        for more in [
            &["--publishers", "2", "--subscribers", "4", "--subjects", "2"][..],
            &["--request", "--publishers", "3", "--subscribers", "2"],
        ] {
            let outcome = load([server, other], more);
            let expected = if more[0] == "--request" { 2000 } else { 4000 };
            assert_eq!(outcome["delivered"]["messages"], expected, "{more:?}");
        }
    }
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn the_load_begins_when_the_subscriptions_have_crossed() {
    let hub = Hub::start("");
    let edge = hub.distant_leaf(Duration::from_millis(100));
    let [edge, hub] = [edge.port, hub.port].map(|port| format!("127.0.0.1:{port}"));
    for servers in [[&edge, &hub], [&hub, &edge]] {
        load(servers, &[]);
    }
}

/// Runs `broker bench` with 2,000 messages from the first server to the second, and checks that no
/// message is lost or delivered twice.
fn load([from, to]: [&String; 2], more: &[&str]) -> serde_json::Value {
    let output = Command::new(program())
        .args(["bench", "--server", from, "--subscriber-server", to])
        .args(["--messages", "2000", "--json"])
        .args(more)
        .output();
    let output = output.expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{more:?}: {text}");
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(outcome["lost"], 0, "{more:?}");
    assert_eq!(outcome["surplus"], 0, "{more:?}");
    outcome
}
