//! Shared client steps: connect, wait with a timeout, and synchronize with the server.

use std::future::Future;
use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectOptions, Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::server::Server;

/// Timeout of each wait, reached only in a failure.
const LIMIT: Duration = Duration::from_secs(20);

/// Waits for a future, with a timeout.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(LIMIT, future).await;
    waited.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

pub(crate) async fn try_connect(
    server: &Server,
    options: ConnectOptions,
) -> Result<Client, ConnectError> {
    // Boxed: the client's future is 16 KiB.
    soon("connect", Box::pin(options.connect(server.address()))).await
}

pub(crate) async fn connect_with(server: &Server, options: ConnectOptions) -> Client {
    try_connect(server, options)
        .await
        .unwrap_or_else(|error| panic!("connect: {error:?}"))
}

pub(crate) async fn connect(server: &Server) -> Client {
    connect_with(server, ConnectOptions::new()).await
}

/// Subscribes, and returns when the server has registered the subscription.
pub(crate) async fn subscribe(client: &Client, subject: &str) -> Subscriber {
    let subscriber = client
        .subscribe(subject.to_owned())
        .await
        .unwrap_or_else(|error| panic!("subscribe to {subject}: {error}"));
    round_trip(client).await;
    subscriber
}

/// Joins a queue group, and returns when the server has registered the subscription.
pub(crate) async fn join(client: &Client, subject: &str, group: &str) -> Subscriber {
    let subscriber = client
        .queue_subscribe(subject.to_owned(), group.to_owned())
        .await
        .unwrap_or_else(|error| panic!("join {group} on {subject}: {error}"));
    round_trip(client).await;
    subscriber
}

pub(crate) async fn publish(client: &Client, subject: &str, payload: impl Into<Bytes>) {
    client
        .publish(subject.to_owned(), payload.into())
        .await
        .unwrap_or_else(|error| panic!("publish to {subject}: {error}"));
}

/// Returns when the server has executed everything that this client sent before, and the client has
/// received everything that the server sent before: a message to itself overtakes nothing. (The
/// client's own `flush` waits only for the socket.)
pub(crate) async fn round_trip(client: &Client) {
    let inbox = client.new_inbox();
    let mut echo = client.subscribe(inbox.clone()).await.expect("subscribe");
    publish(client, &inbox, "").await;
    soon("a message to itself", echo.next())
        .await
        .expect("the subscription is open");
    echo.unsubscribe().await.expect("unsubscribe");
}

pub(crate) async fn next(subscriber: &mut Subscriber) -> Message {
    soon("a message", subscriber.next())
        .await
        .expect("the subscription is open")
}

/// Returns the next message's payload as text.
pub(crate) async fn next_text(subscriber: &mut Subscriber) -> String {
    text(&next(subscriber).await).to_owned()
}

pub(crate) fn text(message: &Message) -> &str {
    std::str::from_utf8(&message.payload).expect("the payload is text")
}

/// Returns the remaining messages of a subscription that has ended.
pub(crate) async fn rest(subscriber: &mut Subscriber) -> Vec<String> {
    let mut payloads = Vec::new();
    while let Some(message) = soon("the end of a subscription", subscriber.next()).await {
        payloads.push(text(&message).to_owned());
    }
    payloads
}

/// Returns the numbers below `count` as payloads.
pub(crate) fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}
