//! A hub's key-value and object stores for clients of the leaf node, with the official Rust client.

use std::fmt::Debug;

use async_nats::jetstream::{self, kv, object_store};
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncReadExt;

use crate::hub::Hub;
use crate::server::{PATIENCE, Server};

async fn next<S: Stream + Unpin>(stream: &mut S) -> S::Item {
    let next = tokio::time::timeout(PATIENCE, stream.next());
    next.await.expect("it comes in time").expect("it goes on")
}

/// Connects a client to the leaf node and returns the hub's JetStream.
async fn context(edge: &Server) -> jetstream::Context {
    let address = format!("127.0.0.1:{}", edge.port);
    let client = async_nats::connect(address).await.expect("it listens");
    jetstream::with_domain(client, "hub")
}

#[tokio::test]
#[ignore = "needs nats-server: HUB"]
async fn a_bucket_is_written_read_and_watched() {
    let hub = Hub::start("");
    let edge = hub.leaf(&["--workers", "2"]);
    let context = context(&edge).await;
    let bucket = context
        .create_key_value(kv::Config {
            bucket: "settings".to_owned(),
            history: 5,
            ..kv::Config::default()
        })
        .await
        .expect("a bucket is made");
    let mut watch = bucket.watch("colour.>").await.expect("it is watched");
    bucket.put("colour.sky", "blue".into()).await.expect("put");
    let revision = bucket.put("colour.sky", "grey".into()).await.expect("put");
    bucket.put("other", "x".into()).await.expect("put");
    let sky = bucket.get("colour.sky").await.expect("got");
    assert_eq!(sky.as_deref(), Some(&b"grey"[..]));
    for expected in ["blue", "grey"] {
        let entry = next(&mut watch).await.expect("an entry");
        assert_eq!(
            (&*entry.key, &entry.value[..]),
            ("colour.sky", expected.as_bytes())
        );
    }
    // An update with an older revision is refused.
    let stale = bucket
        .update("colour.sky", "red".into(), revision - 1)
        .await;
    assert!(stale.is_err());
    bucket
        .update("colour.sky", "red".into(), revision)
        .await
        .expect("it is the last");
    bucket.delete("colour.sky").await.expect("deleted");
    assert_eq!(bucket.get("colour.sky").await.expect("got"), None);
    let mut history = bucket.history("colour.sky").await.expect("a history");
    let mut values = Vec::new();
    for _ in 0..4 {
        values.push(next(&mut history).await.expect("an entry").value);
    }
    assert_eq!(values, ["blue", "grey", "red", ""]);
}

#[tokio::test]
#[ignore = "needs nats-server: HUB"]
async fn an_object_of_many_pieces_comes_back_whole() {
    let hub = Hub::start("");
    let edge = hub.leaf(&[]);
    let context = context(&edge).await;
    let store = context
        .create_object_store(object_store::Config {
            bucket: "files".to_owned(),
            ..object_store::Config::default()
        })
        .await
        .expect("a store is made");
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
        .take(3_000_000)
        .collect();
    let mut reader = bytes.as_slice();
    let put = store.put("file", &mut reader);
    tokio::time::timeout(PATIENCE, put)
        .await
        .expect("in time")
        .expect("put");
    let mut object = store.get("file").await.expect("it is there");
    let mut found = Vec::new();
    let read = object.read_to_end(&mut found);
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("in time")
        .expect("read");
    // A failure would print three megabytes.
    let same = found == bytes;
    assert!(same);
}

/// Returns the next message of a consumer, which must be this order.
async fn next_order<S, E>(messages: &mut S, number: usize) -> jetstream::Message
where
    S: Stream<Item = Result<jetstream::Message, E>> + Unpin,
    E: Debug,
{
    let message = next(messages).await.expect("a message");
    assert_eq!(message.subject.as_str(), format!("orders.{number}"));
    message
}

#[tokio::test]
#[ignore = "needs nats-server: HUB"]
async fn consumers_of_the_client_take_and_acknowledge() {
    let hub = Hub::start("");
    let edge = hub.leaf(&["--workers", "2"]);
    let context = context(&edge).await;
    let stream = context
        .create_stream(jetstream::stream::Config {
            name: "orders".to_owned(),
            subjects: vec!["orders.*".to_owned()],
            ..jetstream::stream::Config::default()
        })
        .await
        .expect("a stream is made");
    for number in 0..50 {
        let subject = format!("orders.{number}");
        let acknowledged = context.publish(subject, number.to_string().into()).await;
        acknowledged.expect("sent").await.expect("it is kept");
    }
    let pull = jetstream::consumer::pull::Config {
        durable_name: Some("puller".to_owned()),
        ..jetstream::consumer::pull::Config::default()
    };
    let consumer = stream
        .create_consumer(pull)
        .await
        .expect("a consumer is made");
    let mut messages = consumer.messages().await.expect("they are asked for");
    for number in 0..50 {
        let message = next_order(&mut messages, number).await;
        message.double_ack().await.expect("it is acknowledged");
    }
    let push = jetstream::consumer::push::Config {
        deliver_subject: "pushed.here".to_owned(),
        deliver_group: Some("workers".to_owned()),
        durable_name: Some("pusher".to_owned()),
        ..jetstream::consumer::push::Config::default()
    };
    let consumer = stream
        .create_consumer(push)
        .await
        .expect("a consumer is made");
    let mut messages = consumer.messages().await.expect("they are asked for");
    for number in 0..50 {
        let message = next_order(&mut messages, number).await;
        message.ack().await.expect("it is acknowledged");
    }
}
