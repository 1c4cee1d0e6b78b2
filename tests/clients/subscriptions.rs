//! Which subjects a subscription matches, and when it ends.

use std::sync::atomic::Ordering;

use async_nats::{Client, Subscriber};

use crate::client::{
    connect, next, next_text, numbers, publish, rest, round_trip, soon, subscribe,
};
use crate::server::Server;

/// Returns the subjects of the messages before the one to `end`.
async fn subjects_until(subscriber: &mut Subscriber, end: &str) -> Vec<String> {
    let mut subjects = Vec::new();
    loop {
        let subject = next(subscriber).await.subject.to_string();
        if subject == end {
            return subjects;
        }
        // The client's round trips use these subjects; `>` matches them too.
        if !subject.starts_with("_INBOX.") {
            subjects.push(subject);
        }
    }
}

/// Asserts that `pattern` matches exactly these of the subjects sent; `end` is one that it matches
/// as well.
async fn assert_takes(
    server: &Server,
    publisher: &Client,
    pattern: &str,
    sent: &[&str],
    taken: &[&str],
    end: &str,
) {
    let client = connect(server).await;
    let mut subscriber = subscribe(&client, pattern).await;
    for subject in sent {
        publish(publisher, subject, "").await;
    }
    publish(publisher, end, "").await;
    assert_eq!(
        subjects_until(&mut subscriber, end).await,
        taken,
        "{pattern}"
    );
}

#[tokio::test]
async fn wildcards_take_what_they_match() {
    let server = Server::start();
    let publisher = connect(&server).await;
    let sent = [
        "a", "b", "a.b", "a.c", "b.b", "a.b.c", "a.d.c", "a.b.d", "b.b.c", "a.b.c.d", "ab.c",
    ];
    for (pattern, taken, end) in [
        ("a.b", &["a.b"][..], "a.b"),
        ("a.*", &["a.b", "a.c"], "a.end"),
        ("*", &["a", "b"], "end"),
        ("*.b", &["a.b", "b.b"], "end.b"),
        ("a.*.c", &["a.b.c", "a.d.c"], "a.end.c"),
        ("*.*.c", &["a.b.c", "a.d.c", "b.b.c"], "end.end.c"),
        (
            "a.>",
            &["a.b", "a.c", "a.b.c", "a.d.c", "a.b.d", "a.b.c.d"],
            "a.end",
        ),
        ("a.*.>", &["a.b.c", "a.d.c", "a.b.d", "a.b.c.d"], "a.b.end"),
        (
            "*.b.>",
            &["a.b.c", "a.b.d", "b.b.c", "a.b.c.d"],
            "end.b.end",
        ),
    ] {
        // A pattern without a wildcard matches one subject, which is also the end.
        let taken = if pattern == end { &[] } else { taken };
        let sent: Vec<_> = sent.into_iter().filter(|s| *s != end).collect();
        assert_takes(&server, &publisher, pattern, &sent, taken, end).await;
    }
    assert_takes(&server, &publisher, ">", &sent, &sent, "end").await;
}

#[tokio::test]
async fn a_wildcard_inside_a_token_is_a_letter() {
    let server = Server::start();
    let client = connect(&server).await;
    let sent = ["w.ab", "w.a", "w.abc"];
    assert_takes(&server, &client, "w.a*", &sent, &[], "w.a*").await;
    assert_takes(&server, &client, "w.>a", &sent, &[], "w.>a").await;
}

#[tokio::test]
async fn overlapping_subscriptions_each_take_a_copy() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut all = Vec::new();
    for pattern in ["o.v", "o.*", "*.v", "o.>", ">", "*.*", "o.v"] {
        all.push(subscribe(&client, pattern).await);
    }
    publish(&client, "o.v", "one").await;
    publish(&client, "o.v", "two").await;
    for subscriber in &mut all {
        while next(subscriber).await.subject.as_str() != "o.v" {
            // `>` also matches the messages of the client's round trips.
        }
        assert_eq!(next_text(subscriber).await, "two");
    }
}

#[tokio::test]
async fn subjects_are_unicode() {
    let server = Server::start();
    let client = connect(&server).await;
    let sent = ["日本.ключ", "日本.🦀", "日.本", "Straße.ключ"];
    let taken = ["日本.ключ", "日本.🦀"];
    assert_takes(&server, &client, "日本.*", &sent, &taken, "日本.終").await;
    let taken = ["日本.ключ", "Straße.ключ"];
    assert_takes(&server, &client, "*.ключ", &sent, &taken, "終.ключ").await;
    assert_takes(&server, &client, "🦀", &sent, &[], "🦀").await;
}

#[tokio::test]
async fn subjects_differ_by_case() {
    let server = Server::start();
    let client = connect(&server).await;
    assert_takes(&server, &client, "Case", &["case", "CASE"], &[], "Case").await;
}

#[tokio::test]
async fn unsubscribing_ends_it() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut ended = subscribe(&client, "u").await;
    let mut kept = subscribe(&client, "u").await;
    publish(&client, "u", "before").await;
    round_trip(&client).await;
    ended.unsubscribe().await.expect("unsubscribe");
    round_trip(&client).await;
    let before = client.statistics().in_messages.load(Ordering::Relaxed);
    publish(&client, "u", "after").await;
    round_trip(&client).await;
    // One for the remaining subscription, one for the round trip.
    let after = client.statistics().in_messages.load(Ordering::Relaxed);
    assert_eq!(
        after - before,
        2,
        "the server sends to the subscription that ended"
    );
    assert_eq!(rest(&mut ended).await, ["before"]);
    assert_eq!(next_text(&mut kept).await, "before");
    assert_eq!(next_text(&mut kept).await, "after");
}

/// Uses the client's message counter, which includes messages that the client itself drops.
async fn messages_sent_for(client: &Client, subject: &str, count: usize) -> u64 {
    let before = client.statistics().in_messages.load(Ordering::Relaxed);
    for number in numbers(count) {
        publish(client, subject, number).await;
    }
    round_trip(client).await;
    client.statistics().in_messages.load(Ordering::Relaxed) - before - 1
}

#[tokio::test]
async fn a_subscription_ends_by_itself_after_as_many_messages() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscriber = subscribe(&client, "max").await;
    subscriber.unsubscribe_after(5).await.expect("unsubscribe");
    assert_eq!(messages_sent_for(&client, "max", 20).await, 5);
    assert_eq!(rest(&mut subscriber).await, numbers(5));
}

#[tokio::test]
async fn messages_before_the_maximum_was_set_count() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscriber = subscribe(&client, "max").await;
    assert_eq!(messages_sent_for(&client, "max", 3).await, 3);
    subscriber.unsubscribe_after(5).await.expect("unsubscribe");
    assert_eq!(messages_sent_for(&client, "max", 20).await, 2);
    assert_eq!(rest(&mut subscriber).await, ["0", "1", "2", "0", "1"]);
}

#[tokio::test]
async fn a_maximum_already_reached_ends_it_at_once() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscriber = subscribe(&client, "max").await;
    assert_eq!(messages_sent_for(&client, "max", 3).await, 3);
    subscriber.unsubscribe_after(2).await.expect("unsubscribe");
    assert_eq!(messages_sent_for(&client, "max", 3).await, 0);
    assert_eq!(rest(&mut subscriber).await, numbers(3));
}

#[tokio::test]
async fn many_subscriptions_come_and_go() {
    const COUNT: usize = 2000;
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscribers = Vec::new();
    for number in 0..COUNT {
        let subject = format!("many.{number}");
        subscribers.push(client.subscribe(subject).await.expect("subscribe"));
    }
    for number in 0..COUNT {
        publish(&client, &format!("many.{number}"), number.to_string()).await;
    }
    for (number, subscriber) in subscribers.iter_mut().enumerate() {
        assert_eq!(next_text(subscriber).await, number.to_string());
    }
    for subscriber in &mut subscribers {
        soon("unsubscribe", subscriber.unsubscribe())
            .await
            .expect("unsubscribe");
    }
    round_trip(&client).await;
    assert_eq!(messages_sent_for(&client, "many.7", 10).await, 0);
}
