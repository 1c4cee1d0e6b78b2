//! Messages with headers.

use async_nats::{HeaderMap, HeaderName, HeaderValue};

use crate::client::{connect, next, numbers, publish, subscribe, text};
use crate::server::Server;

#[tokio::test]
async fn headers_arrive_as_they_were_sent() {
    let server = Server::start();
    let (publisher, other) = (connect(&server).await, connect(&server).await);
    let mut subscriber = subscribe(&other, "headers").await;
    let mut headers = HeaderMap::new();
    headers.insert("X-One", "1");
    headers.append("X-Many", "first");
    headers.append("X-Many", "second: with a colon");
    headers.append("X-Many", "größer 🦀");
    headers.insert("x-one", "names differ by case");
    headers.insert("Empty", "");
    publisher
        .publish_with_headers("headers", headers.clone(), "payload".into())
        .await
        .expect("publish");
    let message = next(&mut subscriber).await;
    assert_eq!(text(&message), "payload");
    assert_eq!(message.headers, Some(headers));
    assert_eq!(message.status, None);
}

#[tokio::test]
async fn several_values_keep_their_order() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscriber = subscribe(&client, "headers").await;
    let mut headers = HeaderMap::new();
    for number in 0..100 {
        headers.append("Number", number.to_string().as_str());
    }
    client
        .publish_with_headers("headers", headers, "".into())
        .await
        .expect("publish");
    let received = next(&mut subscriber).await.headers.expect("headers");
    let values: Vec<_> = received
        .get_all("Number")
        .map(|value| value.as_str().to_owned())
        .collect();
    assert_eq!(values, numbers(100));
}

#[tokio::test]
async fn payloads_with_headers_are_bytes_of_any_number() {
    let server = Server::start();
    let (publisher, other) = (connect(&server).await, connect(&server).await);
    let mut subscriber = subscribe(&other, "headers").await;
    let mut headers = HeaderMap::new();
    headers.insert("Kind", "binary");
    // The limit includes headers and payload.
    let line = "NATS/1.0\r\nKind: binary\r\n\r\n".len();
    for size in [0, 1, 4096, publisher.max_payload() - line] {
        let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
        publisher
            .publish_with_headers("headers", headers.clone(), payload.clone().into())
            .await
            .expect("publish");
        let message = next(&mut subscriber).await;
        assert!(message.payload == payload, "{size} bytes arrive changed");
        assert_eq!(message.headers.as_ref(), Some(&headers));
    }
}

#[tokio::test]
async fn headers_go_with_a_reply_subject() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut subscriber = subscribe(&client, "headers").await;
    let mut headers = HeaderMap::new();
    headers.insert("Trace", "7");
    client
        .publish_with_reply_and_headers("headers", "answers", headers.clone(), "?".into())
        .await
        .expect("publish");
    let message = next(&mut subscriber).await;
    assert_eq!(message.reply.as_deref(), Some("answers"));
    assert_eq!(message.headers, Some(headers));
}

#[tokio::test]
async fn messages_with_and_without_headers_mix() {
    let server = Server::start();
    let (publisher, other) = (connect(&server).await, connect(&server).await);
    let mut subscriber = subscribe(&other, "mixed").await;
    let name = HeaderName::from_static("Number");
    for number in numbers(1000) {
        publish(&publisher, "mixed", number.clone()).await;
        let mut headers = HeaderMap::new();
        headers.insert(name.clone(), number.as_str());
        publisher
            .publish_with_headers("mixed", headers, number.into())
            .await
            .expect("publish");
    }
    for number in numbers(1000) {
        let message = next(&mut subscriber).await;
        assert_eq!(text(&message), number);
        assert!(message.headers.is_none());
        let message = next(&mut subscriber).await;
        assert_eq!(text(&message), number);
        let headers = message.headers.expect("headers");
        assert_eq!(
            headers.get(name.clone()).map(HeaderValue::as_str),
            Some(&*number)
        );
    }
}
