//! Publishing and subscribing: messages arrive unchanged, in order, once.

use async_nats::ConnectOptions;
use async_nats::client::PublishErrorKind;
use bytes::Bytes;

use crate::client::{
    connect, connect_with, next, next_text, numbers, publish, round_trip, soon, subscribe, text,
};
use crate::server::{Description, Server};

#[tokio::test]
async fn a_message_reaches_each_subscriber() {
    let server = Server::start();
    let (publisher, first, second) = (
        connect(&server).await,
        connect(&server).await,
        connect(&server).await,
    );
    let mut subscribers = [
        subscribe(&first, "greetings").await,
        subscribe(&first, "greetings").await,
        subscribe(&second, "greetings").await,
        subscribe(&publisher, "greetings").await,
    ];
    publish(&publisher, "others", "not for them").await;
    publish(&publisher, "greetings", "hello").await;
    for subscriber in &mut subscribers {
        let message = next(subscriber).await;
        assert_eq!(message.subject.as_str(), "greetings");
        assert_eq!(text(&message), "hello");
        assert_eq!(message.reply, None);
        assert!(message.headers.is_none());
    }
}

#[tokio::test]
async fn a_reply_subject_is_passed_on() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscriber = subscribe(&client, "questions").await;
    client
        .publish_with_reply("questions", "answers.here", "why?".into())
        .await
        .expect("publish");
    let reply = next(&mut subscriber).await.reply.expect("a reply subject");
    assert_eq!(reply.as_str(), "answers.here");
}

#[tokio::test]
async fn payloads_are_bytes() {
    let server = Server::start();
    let (publisher, other) = (connect(&server).await, connect(&server).await);
    let mut subscriber = subscribe(&other, "bytes").await;
    let payloads = [
        (0..=u8::MAX).collect::<Vec<u8>>(),
        Vec::new(),
        vec![0; 100],
        b"\r\n".to_vec(),
        b"\r\nMSG bytes 1 5\r\nPING\r\n".to_vec(),
        b"\xff\xfe\xc3\x28".to_vec(),
    ];
    for payload in &payloads {
        publish(&publisher, "bytes", payload.clone()).await;
    }
    for payload in &payloads {
        assert_eq!(next(&mut subscriber).await.payload, *payload);
    }
}

#[tokio::test]
async fn payloads_up_to_the_limit_pass() {
    let server = Server::start();
    let (publisher, other) = (connect(&server).await, connect(&server).await);
    let mut subscriber = subscribe(&other, "large").await;
    let limit = publisher.max_payload();
    assert_eq!(limit, 1024 * 1024);
    for size in [65_535, 65_536, limit - 1, limit, limit] {
        // A period that divides no buffer's size.
        let pattern: Vec<u8> = (0..=250).cycle().take(size).collect();
        let payload = Bytes::from(pattern);
        publish(&publisher, "large", payload.clone()).await;
        let message = next(&mut subscriber).await;
        assert_eq!(message.payload.len(), size);
        assert!(message.payload == payload, "{size} bytes arrive changed");
    }
}

#[tokio::test]
async fn payloads_over_the_limit_are_an_error() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscriber = subscribe(&client, "large").await;
    let payload = Bytes::from(vec![b'x'; 1024 * 1024 + 1]);
    let error = client
        .publish("large", payload)
        .await
        .expect_err("one byte too many");
    assert_eq!(error.kind(), PublishErrorKind::MaxPayloadExceeded);
    publish(&client, "large", "small").await;
    assert_eq!(next_text(&mut subscriber).await, "small");
}

#[tokio::test]
async fn the_limit_is_the_one_configured() {
    let server = Server::described(Description {
        max_payload: Some(1000),
        ..Description::default()
    });
    let client = connect(&server).await;
    assert_eq!(client.max_payload(), 1000);
    let mut subscriber = subscribe(&client, "small").await;
    publish(&client, "small", vec![b'x'; 1000]).await;
    assert_eq!(next(&mut subscriber).await.payload.len(), 1000);
    let error = client
        .publish("small", vec![b'x'; 1001].into())
        .await
        .expect_err("one byte too many");
    assert_eq!(error.kind(), PublishErrorKind::MaxPayloadExceeded);
}

#[tokio::test]
async fn thousands_of_messages_arrive_in_order() {
    const COUNT: usize = 20_000;
    let server = Server::start();
    let (publisher, other) = (connect(&server).await, connect(&server).await);
    let mut subscriber = subscribe(&other, "numbers").await;
    let sent = tokio::spawn(async move {
        for number in numbers(COUNT) {
            publish(&publisher, "numbers", number).await;
        }
        publisher.flush().await.expect("flush");
        publisher
    });
    for number in numbers(COUNT) {
        assert_eq!(next_text(&mut subscriber).await, number);
    }
    soon("the publisher", sent).await.expect("all was sent");
}

#[tokio::test]
async fn concurrent_publishers_keep_their_own_order() {
    const PUBLISHERS: usize = 8;
    const COUNT: usize = 1000;
    let server = Server::start();
    let other = connect(&server).await;
    let mut subscriber = subscribe(&other, "from.*").await;
    let mut publishing = Vec::new();
    for publisher in 0..PUBLISHERS {
        let client = connect(&server).await;
        publishing.push(tokio::spawn(async move {
            for number in numbers(COUNT) {
                publish(&client, &format!("from.{publisher}"), number).await;
            }
            client.flush().await.expect("flush");
            client
        }));
    }
    let mut seen = [0; PUBLISHERS];
    for _ in 0..PUBLISHERS * COUNT {
        let message = next(&mut subscriber).await;
        let publisher: usize = message.subject["from.".len()..].parse().expect("a number");
        assert_eq!(text(&message), seen[publisher].to_string());
        seen[publisher] += 1;
    }
    assert_eq!(seen, [COUNT; PUBLISHERS]);
    for task in publishing {
        soon("a publisher", task).await.expect("all was sent");
    }
}

#[tokio::test]
async fn without_echo_a_client_does_not_hear_itself() {
    let server = Server::start();
    let silent = connect_with(&server, ConnectOptions::new().no_echo()).await;
    let other = connect(&server).await;
    let mut probe = subscribe(&other, "said").await;
    let mut own = silent.subscribe("said").await.expect("subscribe");
    publish(&silent, "said", "by itself").await;
    // Now the server has processed the subscription and the message, ...
    assert_eq!(next_text(&mut probe).await, "by itself");
    publish(&other, "said", "by another").await;
    // ... so an echo would come first.
    assert_eq!(next_text(&mut own).await, "by another");
}

#[tokio::test]
async fn flush_sends_what_was_published() {
    let server = Server::start();
    let (publisher, other) = (connect(&server).await, connect(&server).await);
    let mut subscriber = subscribe(&other, "flushed").await;
    publish(&publisher, "flushed", "now").await;
    soon("flush", publisher.flush()).await.expect("flush");
    assert_eq!(next_text(&mut subscriber).await, "now");
}

#[tokio::test]
async fn the_server_introduces_itself() {
    let server = Server::start();
    let client = connect(&server).await;
    round_trip(&client).await;
    let info = client.server_info();
    assert!(
        !info.server_id.is_empty() && !info.version.is_empty(),
        "{info:?}"
    );
    assert_eq!(server.address(), format!("nats://127.0.0.1:{}", info.port));
    assert_eq!(info.client_ip, "127.0.0.1");
    assert_ne!(
        info.client_id,
        connect(&server).await.server_info().client_id
    );
    assert!(info.headers && info.proto >= 1, "{info:?}");
    assert!(!info.auth_required && !info.tls_required, "{info:?}");
}
