//! Queue groups: one member gets each message.

use async_nats::Subscriber;
use futures_util::{FutureExt, StreamExt};

use crate::client::{
    connect, join, next_text, numbers, publish, rest, round_trip, soon, subscribe,
};
use crate::server::Server;

const COUNT: usize = 1000;

/// Drains the members' subscriptions, and asserts that each message went to one member, and that
/// each member got some. The members' clients must have received everything.
async fn assert_shared(members: &mut [Subscriber]) {
    let (mut all, mut each) = (Vec::new(), Vec::new());
    for member in members {
        member.drain().await.expect("drain");
        let took = rest(member).await;
        each.push(took.len());
        all.extend(took);
    }
    all.sort_by_key(|number| number.parse::<usize>().expect("a number"));
    assert_eq!(all, numbers(COUNT));
    assert!(each.iter().all(|count| *count > 0), "{each:?}");
}

#[tokio::test]
async fn one_member_takes_each_message_and_none_is_left_out() {
    let server = Server::start();
    let publisher = connect(&server).await;
    let mut clients = Vec::new();
    let mut members = Vec::new();
    for _ in 0..4 {
        let client = connect(&server).await;
        members.push(join(&client, "work", "workers").await);
        clients.push(client);
    }
    let mut plain = [
        subscribe(&clients[0], "work").await,
        subscribe(&publisher, "work").await,
    ];
    for number in numbers(COUNT) {
        publish(&publisher, "work", number).await;
    }
    for subscriber in &mut plain {
        for number in numbers(COUNT) {
            assert_eq!(next_text(subscriber).await, number);
        }
    }
    // The server has delivered everything: earlier messages to a client precede the answer to what
    // the client sends now.
    for client in &clients {
        round_trip(client).await;
    }
    assert_shared(&mut members).await;
}

#[tokio::test]
async fn members_of_one_connection_share_too() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(join(&client, "work", "workers").await);
    }
    for number in numbers(COUNT) {
        publish(&client, "work", number).await;
    }
    round_trip(&client).await;
    assert_shared(&mut members).await;
}

#[tokio::test]
async fn each_group_takes_each_message() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut groups = [
        join(&client, "w.x", "red").await,
        join(&client, "w.x", "blue").await,
        join(&client, "w.*", "green").await,
    ];
    for number in numbers(100) {
        publish(&client, "w.x", number).await;
    }
    for member in &mut groups {
        for number in numbers(100) {
            assert_eq!(next_text(member).await, number);
        }
    }
}

#[tokio::test]
async fn a_group_is_one_across_patterns() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut members = Vec::new();
    for pattern in ["w.x", "w.*", "w.>", "*.x"] {
        members.push(join(&client, pattern, "red").await);
    }
    let mut other = join(&client, "w.>", "blue").await;
    for number in numbers(COUNT) {
        publish(&client, "w.x", number).await;
    }
    for number in numbers(COUNT) {
        assert_eq!(next_text(&mut other).await, number);
    }
    round_trip(&client).await;
    assert_shared(&mut members).await;
}

#[tokio::test]
async fn a_member_that_has_gone_is_left_out() {
    let server = Server::start();
    let (publisher, stays, leaves) = (
        connect(&server).await,
        connect(&server).await,
        connect(&server).await,
    );
    let mut staying = join(&stays, "work", "workers").await;
    let leaving = join(&leaves, "work", "workers").await;
    drop((leaves, leaving));
    // The server may notice late; from then on the last member gets each message.
    let alone = async {
        let mut in_a_row = 0;
        while in_a_row < 50 {
            publish(&publisher, "work", "").await;
            round_trip(&publisher).await;
            round_trip(&stays).await;
            let taken = staying.next().now_or_never().is_some();
            in_a_row = if taken { in_a_row + 1 } else { 0 };
        }
    };
    soon("all messages for the last member", alone).await;
}
