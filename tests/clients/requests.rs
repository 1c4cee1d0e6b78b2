//! Requests and replies, and requests without responders.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{Client, HeaderMap, Request, StatusCode, Subscriber};
use futures_util::StreamExt;
use futures_util::future::join_all;

use crate::client::{connect, join, next, round_trip, soon, subscribe, text};
use crate::server::Server;

/// Answers each request with its own payload and headers, and `name`.
fn answer(client: &Client, mut requests: Subscriber, name: &'static str) {
    let client = client.clone();
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let reply = request.reply.clone().expect("a reply subject");
            let payload = format!("{name}: {}", text(&request)).into();
            let answered = match request.headers {
                Some(headers) => client.publish_with_headers(reply, headers, payload).await,
                None => client.publish(reply, payload).await,
            };
            answered.expect("publish");
        }
    });
}

#[tokio::test]
async fn a_request_is_answered() {
    let server = Server::start();
    let (asks, answers) = (connect(&server).await, connect(&server).await);
    answer(&answers, subscribe(&answers, "echo").await, "echo");
    for payload in ["first", "second", ""] {
        let reply = soon("a reply", asks.request("echo", payload.into()))
            .await
            .expect("a reply");
        assert_eq!(text(&reply), format!("echo: {payload}"));
    }
}

#[tokio::test]
async fn a_request_has_headers_too() {
    let server = Server::start();
    let (asks, answers) = (connect(&server).await, connect(&server).await);
    answer(&answers, subscribe(&answers, "echo").await, "echo");
    let mut headers = HeaderMap::new();
    headers.append("Trace", "1");
    headers.append("Trace", "2");
    let reply = asks.request_with_headers("echo", headers.clone(), "?".into());
    let reply = soon("a reply", reply).await.expect("a reply");
    assert_eq!(text(&reply), "echo: ?");
    assert_eq!(reply.headers, Some(headers));
}

#[tokio::test]
async fn concurrent_requests_each_get_their_own_reply() {
    const CLIENTS: usize = 4;
    const COUNT: usize = 500;
    let server = Server::start();
    for _ in 0..2 {
        let answers = connect(&server).await;
        answer(&answers, join(&answers, "echo", "answerers").await, "echo");
    }
    let mut asking = Vec::new();
    for client in 0..CLIENTS {
        let asks = connect(&server).await;
        asking.extend((0..COUNT).map(move |number| {
            let asks = asks.clone();
            async move {
                let payload = format!("{client}/{number}");
                let reply = asks.request("echo", payload.clone().into()).await;
                assert_eq!(text(&reply.expect("a reply")), format!("echo: {payload}"));
            }
        }));
    }
    soon("all replies", join_all(asking)).await;
}

#[tokio::test]
async fn a_request_without_responders_fails_at_once() {
    let server = Server::start();
    let client = connect(&server).await;
    // Without a client timeout, only the server's status ends the wait.
    let request = || Request::new().payload("?".into()).timeout(None);
    for subject in ["nobody", "nobody.at.all"] {
        let error = soon("no responders", client.send_request(subject, request()))
            .await
            .expect_err("nobody answers");
        assert_eq!(error.kind(), RequestErrorKind::NoResponders);
    }
    let mut headers = HeaderMap::new();
    headers.insert("Trace", "1");
    let error = client.send_request("nobody", request().headers(headers));
    let error = soon("no responders", error).await.expect_err("nobody");
    assert_eq!(error.kind(), RequestErrorKind::NoResponders);
}

#[tokio::test]
async fn no_responders_is_a_503_without_payload() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut replies = subscribe(&client, "replies").await;
    client
        .publish_with_reply("nobody", "replies", "?".into())
        .await
        .expect("publish");
    let message = next(&mut replies).await;
    assert_eq!(message.status, Some(StatusCode::NO_RESPONDERS));
    assert_eq!(message.subject.as_str(), "replies");
    assert!(message.payload.is_empty());
    assert_eq!(message.reply, None);
}

#[tokio::test]
async fn no_responders_follows_the_subscriptions() {
    let server = Server::start();
    let (asks, answers) = (connect(&server).await, connect(&server).await);
    let nobody = async || {
        let error = soon("no responders", asks.request("service.a", "?".into()))
            .await
            .expect_err("nobody answers");
        assert_eq!(error.kind(), RequestErrorKind::NoResponders);
    };
    nobody().await;
    let mut service = subscribe(&answers, "service.*").await;
    let reply = async {
        let request = next(&mut service).await;
        let reply = request.reply.expect("a reply subject");
        answers.publish(reply, "!".into()).await.expect("publish");
    };
    let (reply, ()) = tokio::join!(
        soon("a reply", asks.request("service.a", "?".into())),
        reply
    );
    assert_eq!(text(&reply.expect("a reply")), "!");
    service.unsubscribe().await.expect("unsubscribe");
    round_trip(&answers).await;
    nobody().await;
}

#[tokio::test]
async fn a_subscriber_that_does_not_answer_is_waited_for() {
    let server = Server::start();
    let (asks, silent) = (connect(&server).await, connect(&server).await);
    let mut requests = subscribe(&silent, "silence").await;
    let request = Request::new().timeout(Some(Duration::from_millis(200)));
    let error = soon("the time limit", asks.send_request("silence", request))
        .await
        .expect_err("nobody answers");
    assert_eq!(error.kind(), RequestErrorKind::TimedOut);
    next(&mut requests).await;
}
