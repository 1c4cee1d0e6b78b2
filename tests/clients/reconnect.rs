//! The server stops and starts again on the same port, and clients resume.

use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::certificates::Authority;
use crate::client::{connect_with, join, next_text, publish, round_trip, soon, subscribe};
use crate::server::{Description, Server, Tls};

/// A client and its connection events.
struct Watched {
    client: Client,
    events: UnboundedReceiver<Event>,
}

impl Watched {
    async fn connect(server: &Server, options: ConnectOptions) -> Self {
        let (tell, events) = unbounded_channel();
        let options = options.event_callback(move |event| {
            // The test may be over.
            let _ = tell.send(event);
            std::future::ready(())
        });
        Self {
            client: connect_with(server, options).await,
            events,
        }
    }

    async fn wait_for(&mut self, expected: Event) {
        let coming = async {
            while let Some(event) = self.events.recv().await {
                if event == expected {
                    return;
                }
            }
            panic!("the client has ended");
        };
        soon(&format!("{expected:?}"), coming).await;
    }
}

/// Asserts that clients with these options have their subscriptions again after `end` has stopped
/// the server and it was restarted.
async fn assert_resumes(
    mut server: Server,
    options: impl Fn() -> ConnectOptions,
    end: fn(&mut Server),
) {
    let mut publisher = Watched::connect(&server, options()).await;
    let mut subscriber = Watched::connect(&server, options()).await;
    let mut subscriptions = [
        subscribe(&subscriber.client, "r.plain").await,
        subscribe(&subscriber.client, "r.*").await,
        join(&subscriber.client, "r.>", "group").await,
    ];
    let mut ended = subscribe(&subscriber.client, "r.plain").await;
    ended.unsubscribe().await.expect("unsubscribe");

    for round in ["first", "second", "third"] {
        publish(&publisher.client, "r.plain", round).await;
        for subscription in &mut subscriptions {
            assert_eq!(next_text(subscription).await, round);
        }
        for watched in [&mut publisher, &mut subscriber] {
            watched.wait_for(Event::Connected).await;
        }
        if round == "third" {
            break;
        }
        end(&mut server);
        for watched in [&mut publisher, &mut subscriber] {
            watched.wait_for(Event::Disconnected).await;
        }
        server.start_again();
        // Sent after the subscriptions, once the client has reconnected.
        round_trip(&subscriber.client).await;
    }
    assert!(ended.next().await.is_none());
}

#[tokio::test]
async fn subscriptions_resume_after_a_crash() {
    assert_resumes(Server::start(), ConnectOptions::new, Server::kill).await;
}

#[cfg(unix)]
#[tokio::test]
async fn subscriptions_resume_after_an_orderly_end() {
    assert_resumes(Server::start(), ConnectOptions::new, Server::terminate).await;
}

#[tokio::test]
async fn subscriptions_resume_with_authentication_and_tls() {
    let authority = Authority::new();
    let signed = authority.server();
    let server = Server::described(Description {
        user: Some(("ann", "secret")),
        tls: Some(Tls {
            certificate: signed.certificate,
            key: signed.key,
            clients_ca: None,
            first: false,
        }),
        ..Description::default()
    });
    let options = || {
        ConnectOptions::with_user_and_password("ann".to_owned(), "secret".to_owned())
            .add_root_certificates(authority.certificate().to_owned())
    };
    assert_resumes(server, options, Server::kill).await;
}

#[tokio::test]
async fn requests_work_again_after_a_crash() {
    let mut server = Server::start();
    let mut asks = Watched::connect(&server, ConnectOptions::new()).await;
    let mut answers = Watched::connect(&server, ConnectOptions::new()).await;
    let mut requests = subscribe(&answers.client, "echo").await;
    let client = answers.client.clone();
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let reply = request.reply.expect("a reply subject");
            client
                .publish(reply, request.payload)
                .await
                .expect("publish");
        }
    });
    for round in ["before", "after"] {
        let reply = soon("a reply", asks.client.request("echo", round.into()))
            .await
            .expect("a reply");
        assert_eq!(reply.payload, round);
        for watched in [&mut asks, &mut answers] {
            watched.wait_for(Event::Connected).await;
        }
        if round == "before" {
            server.kill();
            for watched in [&mut asks, &mut answers] {
                watched.wait_for(Event::Disconnected).await;
            }
            server.start_again();
            round_trip(&answers.client).await;
        }
    }
}
