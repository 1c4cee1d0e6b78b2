//! Right and wrong users, passwords and tokens.

use async_nats::{ConnectErrorKind, ConnectOptions};

use crate::client::{connect_with, next_text, publish, subscribe, try_connect};
use crate::server::{Description, Server};

fn with_user() -> Server {
    Server::described(Description {
        user: Some(("ann", "s3cret pässword")),
        ..Description::default()
    })
}

fn with_token() -> Server {
    Server::described(Description {
        token: Some("t0ken-of-the-test"),
        ..Description::default()
    })
}

fn user(name: &str, password: &str) -> ConnectOptions {
    ConnectOptions::with_user_and_password(name.to_owned(), password.to_owned())
}

fn token(token: &str) -> ConnectOptions {
    ConnectOptions::with_token(token.to_owned())
}

async fn assert_welcome(server: &Server, options: ConnectOptions) {
    let client = connect_with(server, options).await;
    let mut subscriber = subscribe(&client, "in").await;
    publish(&client, "in", "welcome").await;
    assert_eq!(next_text(&mut subscriber).await, "welcome");
}

async fn assert_refused(server: &Server, options: ConnectOptions) {
    let Err(error) = try_connect(server, options).await else {
        panic!("the server accepts credentials that it should refuse");
    };
    assert_eq!(
        error.kind(),
        ConnectErrorKind::AuthorizationViolation,
        "{error:?}"
    );
}

#[tokio::test]
async fn the_right_user_and_password_are_let_in() {
    let server = with_user();
    let client = connect_with(&server, user("ann", "s3cret pässword")).await;
    assert!(client.server_info().auth_required);
    assert_welcome(&server, user("ann", "s3cret pässword")).await;
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let server = with_user();
    for password in ["", "s3cret", "s3cret pässword ", "S3cret pässword"] {
        assert_refused(&server, user("ann", password)).await;
    }
    assert_welcome(&server, user("ann", "s3cret pässword")).await;
}

#[tokio::test]
async fn a_wrong_user_is_refused() {
    let server = with_user();
    for name in ["", "an", "anna", "Ann"] {
        assert_refused(&server, user(name, "s3cret pässword")).await;
    }
}

#[tokio::test]
async fn a_missing_password_or_a_token_is_refused() {
    let server = with_user();
    assert_refused(&server, ConnectOptions::new()).await;
    assert_refused(&server, token("s3cret pässword")).await;
}

#[tokio::test]
async fn the_right_token_is_let_in() {
    let server = with_token();
    let client = connect_with(&server, token("t0ken-of-the-test")).await;
    assert!(client.server_info().auth_required);
    assert_welcome(&server, token("t0ken-of-the-test")).await;
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let server = with_token();
    for wrong in ["", "t0ken", "t0ken-of-the-test ", "T0ken-of-the-test"] {
        assert_refused(&server, token(wrong)).await;
    }
    assert_welcome(&server, token("t0ken-of-the-test")).await;
}

#[tokio::test]
async fn a_missing_token_or_a_password_is_refused() {
    let server = with_token();
    assert_refused(&server, ConnectOptions::new()).await;
    assert_refused(&server, user("ann", "t0ken-of-the-test")).await;
}

#[tokio::test]
async fn an_open_server_takes_any_password() {
    let server = Server::start();
    assert_welcome(&server, user("ann", "anything")).await;
    assert_welcome(&server, token("anything")).await;
}
