//! TLS: server and client certificates.

use std::error::Error;
use std::path::PathBuf;

use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions};

use crate::certificates::{Authority, Signed};
use crate::client::{connect_with, next, next_text, numbers, publish, subscribe, try_connect};
use crate::server::{Description, Server, Tls};

fn server_with(signed: Signed, clients_ca: Option<PathBuf>) -> Server {
    Server::described(described(signed, clients_ca))
}

fn described(signed: Signed, clients_ca: Option<PathBuf>) -> Description {
    Description {
        tls: Some(Tls {
            certificate: signed.certificate,
            key: signed.key,
            clients_ca,
            first: false,
        }),
        ..Description::default()
    }
}

fn trusting(authority: &Authority) -> ConnectOptions {
    ConnectOptions::new().add_root_certificates(authority.certificate().to_owned())
}

fn presenting(options: ConnectOptions, signed: Signed) -> ConnectOptions {
    options.add_client_certificate(signed.certificate, signed.key)
}

async fn refused(server: &Server, options: ConnectOptions) -> ConnectError {
    let Err(error) = try_connect(server, options).await else {
        panic!("the connection succeeded");
    };
    error
}

/// Returns the error and all of its causes.
fn told(error: &ConnectError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_accepted() {
    let authority = Authority::new();
    let server = server_with(authority.server(), None);
    let client = connect_with(&server, trusting(&authority)).await;
    assert!(client.server_info().tls_required);
    let mut subscriber = subscribe(&client, "secret").await;
    for number in numbers(5000) {
        publish(&client, "secret", number).await;
    }
    for number in numbers(5000) {
        assert_eq!(next_text(&mut subscriber).await, number);
    }
}

#[tokio::test]
async fn tls_may_come_before_info() {
    let authority = Authority::new();
    let signed = authority.server();
    let server = Server::described(Description {
        tls: Some(Tls {
            certificate: signed.certificate,
            key: signed.key,
            clients_ca: None,
            first: true,
        }),
        ..Description::default()
    });
    let client = connect_with(&server, trusting(&authority).tls_first()).await;
    assert!(client.server_info().tls_required);
    let mut subscriber = subscribe(&client, "secret").await;
    publish(&client, "secret", "first").await;
    assert_eq!(next_text(&mut subscriber).await, "first");
}

#[tokio::test]
async fn large_payloads_pass_through_tls() {
    let authority = Authority::new();
    let server = server_with(authority.server(), None);
    let publisher = connect_with(&server, trusting(&authority)).await;
    let other = connect_with(&server, trusting(&authority)).await;
    let mut subscriber = subscribe(&other, "large").await;
    for size in [16_383, 16_384, 16_385, 1024 * 1024] {
        let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
        publish(&publisher, "large", payload.clone()).await;
        let message = next(&mut subscriber).await;
        assert!(message.payload == payload, "{size} bytes arrive changed");
    }
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_trusted() {
    let (authority, another) = (Authority::new(), Authority::new());
    let server = server_with(authority.server(), None);
    let error = refused(&server, trusting(&another)).await;
    assert!(
        told(&error).contains("invalid peer certificate"),
        "{error:?}"
    );
    connect_with(&server, trusting(&authority)).await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let authority = Authority::new();
    let server = server_with(authority.other_server(), None);
    let error = refused(&server, trusting(&authority)).await;
    assert!(told(&error).contains("not valid for name"), "{error:?}");
}

#[tokio::test]
async fn a_client_certificate_is_asked_for() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let ca = clients.certificate().to_owned();
    let server = server_with(authority.server(), Some(ca));
    let options = presenting(trusting(&authority), clients.client());
    let client = connect_with(&server, options).await;
    let mut subscriber = subscribe(&client, "secret").await;
    publish(&client, "secret", "known").await;
    assert_eq!(next_text(&mut subscriber).await, "known");
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let ca = clients.certificate().to_owned();
    let server = server_with(authority.server(), Some(ca));
    let error = refused(&server, trusting(&authority)).await;
    assert_eq!(error.kind(), ConnectErrorKind::Io, "{error:?}");
    let options = presenting(trusting(&authority), clients.client());
    connect_with(&server, options).await;
}

#[tokio::test]
async fn a_client_certificate_of_another_authority_is_refused() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let ca = clients.certificate().to_owned();
    let server = server_with(authority.server(), Some(ca));
    let options = presenting(trusting(&authority), authority.client());
    let error = refused(&server, options).await;
    assert_eq!(error.kind(), ConnectErrorKind::Io, "{error:?}");
}

#[tokio::test]
async fn a_password_is_asked_for_within_tls() {
    let authority = Authority::new();
    let server = Server::described(Description {
        user: Some(("ann", "secret")),
        ..described(authority.server(), None)
    });
    let password = |password: &str| {
        trusting(&authority).user_and_password("ann".to_owned(), password.to_owned())
    };
    connect_with(&server, password("secret")).await;
    for options in [password("wrong"), trusting(&authority)] {
        let error = refused(&server, options).await;
        assert_eq!(error.kind(), ConnectErrorKind::AuthorizationViolation);
    }
}
