//! Settings in a file take effect; flags override them, and missing features are reported.

use std::process::Command;

use crate::client::Client;
use crate::file::File;
use crate::server::{Server, program};

/// Runs the program, which must fail, and returns its output.
fn fails(arguments: &[&str]) -> String {
    let output = Command::new(program())
        .arg("serve")
        .args(arguments)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_limits_of_a_file_hold() {
    let file = File::new(
        "server_name: edge-7\nmax_payload: 1KB\nmax_connections: 100\nping_interval: \"3m\"\nping_max: 5\nwrite_deadline: \"7s\"\nmax_pending: 2MB\nmax_control_line: 2KB\nhttp: \"127.0.0.1:-1\"\n",
    );
    let server = Server::of(&file);
    let varz = server.varz();
    for (field, value) in [
        ("server_name", "edge-7".into()),
        ("max_payload", 1024.into()),
        ("max_connections", 100.into()),
        ("ping_interval", 180_000_000_000_u64.into()),
        ("ping_max", 5.into()),
        ("write_deadline", 7_000_000_000_u64.into()),
        ("max_pending", 2_097_152.into()),
        ("max_control_line", 2048.into()),
    ] as [(&str, serde_json::Value); 8]
    {
        assert_eq!(varz[field], value, "{field}");
    }
}

#[test]
fn no_limit_of_connections_is_shown_as_in_nats_server() {
    let file = File::new("max_connections: -1\nhttp: \"127.0.0.1:-1\"\n");
    let server = Server::of(&file);
    assert_eq!(server.varz()["max_connections"], -1);
    server.connect().sync();
}

#[test]
fn a_flag_is_over_the_file_and_so_is_a_variable() {
    let file = File::new("server_name: of-file\nmax_payload: 100\nmax_connections: 5\n");
    let server = Server::start(&["--config", file.path(), "--name", "of-flag"]);
    let mut client = Client::to(server.port);
    let info = client.read_info();
    assert_eq!(info["server_name"], "of-flag");
    assert_eq!(info["max_payload"], 100);
}

#[test]
fn all_errors_of_a_file_are_reported_with_positions() {
    let file = File::new("max_payload: 1KB\nno_such_key: 1\nwrite_deadline: \"soon\"\n");
    let said = fails(&["--config", file.path()]);
    assert!(said.contains("broker.conf:2:1: "), "{said}");
    assert!(said.contains("no_such_key"), "{said}");
    assert!(said.contains("broker.conf:3:"), "{said}");
    assert!(said.contains("write_deadline"), "{said}");
}

#[test]
fn unsupported_options_are_named() {
    for (text, name) in [
        ("jetstream { store_dir: \"/tmp\" }", "jetstream"),
        ("cluster { listen: \"127.0.0.1:0\" }", "cluster"),
        (
            "accounts { A { users = [{user: a, password: b}] } }",
            "accounts",
        ),
        ("mqtt { port: 1883 }", "mqtt"),
    ] {
        let file = File::new(text);
        let said = fails(&["--config", file.path()]);
        assert!(said.contains("broker.conf:1:1: "), "{said}");
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn files_can_include_others_and_a_circle_is_an_error() {
    let file = File::new("include \"users.conf\"\nserver_name: $NAME\n");
    file.beside(
        "users.conf",
        "NAME: included\nauthorization { user: u, password: p }\n",
    );
    let server = Server::of(&file);
    let mut client = Client::to(server.port);
    assert_eq!(client.read_info()["server_name"], "included");
    server.login("u", "p").sync();
    let file = File::new("include \"again.conf\"\n");
    file.beside("again.conf", "include \"broker.conf\"\n");
    let said = fails(&["--config", file.path()]);
    assert!(
        said.contains("again.conf") && said.contains("include"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = fails(&["--config", "/nowhere/broker.conf"]);
    assert!(said.contains("/nowhere/broker.conf"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_folder_can_get_the_urls_and_pages_can_have_a_base_path() {
    let file = File::new("");
    let folder = file.beside("x", "");
    let folder = folder
        .parent()
        .expect("it is in a folder")
        .display()
        .to_string();
    file.write(&format!(
        "ports_file_dir: {folder:?}\nhttp: \"127.0.0.1:-1\"\nhttp_base_path: /nats\nmax_sub_tokens: 2\n"
    ));
    let mut server = Server::of(&file);
    let http = server.http_port();
    let path = format!("{folder}/broker_{}.ports", server.id());
    // The file is written completely, just after the port is logged.
    let deadline = std::time::Instant::now() + crate::server::PATIENCE;
    while !std::path::Path::new(&path).exists() && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let ports = std::fs::read_to_string(&path).expect("it is written");
    let ports: serde_json::Value = serde_json::from_str(&ports).expect("JSON");
    assert_eq!(
        ports["nats"][0],
        format!("nats://127.0.0.1:{}", server.port)
    );
    assert_eq!(ports["monitoring"][0], format!("http://127.0.0.1:{http}"));
    for (path, status) in [
        ("/nats/healthz", "200"),
        ("/nats", "200"),
        ("/healthz", "404"),
        ("/", "404"),
    ] {
        let (head, _) = crate::http::get(http, path);
        assert!(head.contains(status), "{path}: {head}");
    }
    let mut client = server.connect();
    client.send("SUB a.b 1\r\nSUB a.b.c 2\r\nSUB a.> 3\r\n");
    client
        .expect("-ERR 'Permissions Violation for Subscription to \"a.b.c\", too many tokens'\r\n");
    client.sync();
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn a_file_can_be_tried_without_a_server() {
    let file = File::new("max_payload: 1KB\n");
    let output = Command::new(program())
        .args(["serve", "-t", "-c", file.path()])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    assert!(fails(&["-t", "-c", "/nowhere/broker.conf"]).contains("/nowhere/broker.conf"));
}

#[test]
fn options_that_broker_does_not_have_can_be_ignored() {
    let file = File::new("leafnodes { listen: \"127.0.0.1:-1\" }\njetstream {}\n");
    let server = Server::start(&[
        "--config",
        file.path(),
        "--config-ignore",
        "leafnodes.listen,jetstream",
    ]);
    server.wait_for_log("listen is ignored (--config-ignore)");
    server.wait_for_log("jetstream is ignored (--config-ignore)");
    server.connect();
}

#[test]
fn headers_can_be_off() {
    let file = File::new("no_header_support: true");
    let server = Server::start(&["--config", file.path()]);
    assert_eq!(Client::to(server.port).read_info()["headers"], false);
    let connect = "CONNECT {\"verbose\":false,\"headers\":true";
    for (more, answer) in [
        (
            ",\"no_responders\":true}\r\n",
            "-ERR 'no responders requires headers support'\r\n",
        ),
        // nats-server closes the connection without an error.
        ("}\r\nHPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\n", ""),
    ] {
        let mut client = Client::to(server.port);
        client.read_info();
        client.send(format!("{connect}{more}"));
        client.expect(answer);
        client.expect_end();
    }
    let mut client = Client::to(server.port);
    client.read_info();
    client.send(format!("{connect}}}\r\nPING\r\n"));
    client.expect("PONG\r\n");
}
