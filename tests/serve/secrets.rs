//! Tokens, users and passwords.

use crate::client::Bystanders;
use crate::server::Server;

fn refused(server: &Server, connect: &str) {
    let mut client = server.open();
    client.send(connect);
    client.expect("-ERR 'Authorization Violation'\r\n");
    client.expect_end();
}

#[test]
fn a_wrong_user_and_a_wrong_password_look_the_same() {
    let server = Server::start(&["--user", "ada", "--password", "secret"]);
    for connect in [
        "CONNECT {\"user\":\"ada\",\"pass\":\"wrong!\"}\r\n",
        "CONNECT {\"user\":\"ada\",\"pass\":\"secre\"}\r\n",
        "CONNECT {\"user\":\"bob\",\"pass\":\"secret\"}\r\n",
        "CONNECT {\"user\":\"ada\"}\r\n",
        "CONNECT {\"pass\":\"secret\"}\r\n",
        "CONNECT {\"auth_token\":\"secret\"}\r\n",
        "CONNECT {}\r\n",
        "SUB > 1\r\n",
        "PUB a 1\r\nx\r\n",
        "PING\r\n",
    ] {
        refused(&server, connect);
    }
    let mut client = server.open();
    client.send("CONNECT {\"verbose\":false,\"user\":\"ada\",\"pass\":\"secret\"}\r\n");
    client.sync();
}

#[test]
fn a_secret_can_come_from_a_file() {
    let directory = std::env::temp_dir();
    let path = directory.join(format!("broker-token-{}", std::process::id()));
    std::fs::write(&path, "from a file\n").expect("there is room");
    let server = Server::start(&["--token-file", path.to_str().expect("plain letters")]);
    std::fs::remove_file(path).expect("it was written");
    let mut client = server.open();
    client.send("CONNECT {\"verbose\":false,\"auth_token\":\"from a file\"}\r\n");
    client.sync();
    refused(&server, "CONNECT {\"auth_token\":\"from a file\\n\"}\r\n");
    client.sync();
}

#[test]
fn without_secrets_whatever_a_client_gives_is_fine() {
    let server = Server::start(&[]);
    let mut client = server.open();
    client
        .send("CONNECT {\"verbose\":false,\"user\":\"x\",\"pass\":\"y\",\"auth_token\":\"z\"}\r\n");
    client.sync();
    Bystanders::of(&server).check();
}
