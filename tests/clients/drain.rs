//! Draining: pending messages still arrive.

use std::sync::atomic::Ordering;

use crate::client::{
    connect, join, next_text, numbers, publish, rest, round_trip, soon, subscribe,
};
use crate::server::Server;

const COUNT: usize = 1000;

#[tokio::test]
async fn a_drained_subscription_loses_nothing() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut drained = subscribe(&client, "d").await;
    let mut kept = subscribe(&client, "d").await;
    for number in numbers(COUNT) {
        publish(&client, "d", number).await;
    }
    // After its UNSUB this client drops further messages, so all must arrive before.
    round_trip(&client).await;
    drained.drain().await.expect("drain");
    round_trip(&client).await;
    let before = client.statistics().in_messages.load(Ordering::Relaxed);
    publish(&client, "d", "late").await;
    round_trip(&client).await;
    let after = client.statistics().in_messages.load(Ordering::Relaxed);
    assert_eq!(
        after - before,
        2,
        "the server sends to the drained subscription"
    );
    assert_eq!(rest(&mut drained).await, numbers(COUNT));
    for number in numbers(COUNT) {
        assert_eq!(next_text(&mut kept).await, number);
    }
    assert_eq!(next_text(&mut kept).await, "late");
}

#[tokio::test]
async fn a_drained_member_leaves_its_work_to_the_others() {
    let server = Server::start();
    let (publisher, first, second) = (
        connect(&server).await,
        connect(&server).await,
        connect(&server).await,
    );
    let mut leaves = join(&first, "work", "workers").await;
    let mut stays = join(&second, "work", "workers").await;
    let mut taken = Vec::new();
    for (round, number) in numbers(COUNT).into_iter().enumerate() {
        if round == COUNT / 2 {
            round_trip(&publisher).await;
            round_trip(&first).await;
            leaves.drain().await.expect("drain");
            round_trip(&first).await;
            taken = rest(&mut leaves).await;
            assert!(!taken.is_empty());
        }
        publish(&publisher, "work", number).await;
    }
    while taken.len() < COUNT {
        taken.push(next_text(&mut stays).await);
    }
    taken.sort_by_key(|number| number.parse::<usize>().expect("a number"));
    assert_eq!(taken, numbers(COUNT));
}

#[tokio::test]
async fn a_drained_connection_loses_nothing() {
    let server = Server::start();
    let (leaves, stays) = (connect(&server).await, connect(&server).await);
    let mut sent = subscribe(&stays, "sent").await;
    let mut received = subscribe(&leaves, "received").await;
    for number in numbers(COUNT) {
        publish(&leaves, "received", number).await;
    }
    round_trip(&leaves).await;
    for number in numbers(COUNT) {
        publish(&leaves, "sent", number).await;
    }
    soon("drain", leaves.drain()).await.expect("drain");
    assert_eq!(rest(&mut received).await, numbers(COUNT));
    for number in numbers(COUNT) {
        assert_eq!(next_text(&mut sent).await, number);
    }
    soon("publish", leaves.publish("sent", "late".into()))
        .await
        .expect_err("the connection is closed");
}
