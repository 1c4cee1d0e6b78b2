//! SIGHUP: what changes, for which clients, and what does not.

use rustix::process::Signal;

use crate::client::{Bystanders, Client};
use crate::file::File;
use crate::server::Server;

pub(crate) const RELOADED: &str = "reloaded the configuration";
const REFUSED: &str = "the configuration is unchanged";

/// Makes the server read `text`, and waits until it logs `outcome`.
pub(crate) fn reload(server: &Server, file: &File, text: &str, outcome: &str) {
    let count = || {
        let log = server.log();
        log.iter().filter(|line| line.contains(outcome)).count()
    };
    let before = count();
    file.write(text);
    server.signal(Signal::HUP);
    let deadline = std::time::Instant::now() + crate::server::PATIENCE;
    while count() == before {
        assert!(std::time::Instant::now() < deadline, "{:?}", server.log());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn clients_without_credentials_get_what_new_ones_get() {
    let users = "authorization { users = [ {user: any, password: a}, {user: mute, password: m, permissions: {publish: {deny: \">\"}}} ] }";
    let file = File::new(&format!(
        "http: \"127.0.0.1:-1\"\nno_auth_user: any\n{users}"
    ));
    let server = Server::of(&file);
    let load_time = || {
        server.varz()["config_load_time"]
            .as_str()
            .map(str::to_owned)
    };
    let start = load_time();
    assert!(start.is_some());
    let (mut guest, mut known) = (server.connect(), server.login("any", "a"));
    guest.send("PUB a 0\r\n\r\n");
    guest.sync();
    let http = "http: \"127.0.0.1:-1\"\n";
    reload(
        &server,
        &file,
        &format!("{http}no_auth_user: mute\n{users}"),
        RELOADED,
    );
    assert!(load_time() > start);
    guest.send("PUB a 0\r\n\r\n");
    guest.expect("-ERR 'Permissions Violation for Publish to \"a\"'\r\n");
    reload(&server, &file, &format!("{http}{users}"), RELOADED);
    guest.expect("-ERR 'Authorization Violation'\r\n");
    guest.expect_end();
    known.send("PUB a 0\r\n\r\n");
    known.sync();
}

#[test]
fn users_change_and_remaining_clients_lose_nothing() {
    let file = File::new(
        "authorization { users = [ {user: stays, password: s}, {user: goes, password: g}, {user: changes, password: c} ] }",
    );
    let server = Server::of(&file);
    let mut stays = server.login("stays", "s");
    stays.send("SUB a 1\r\n");
    stays.sync();
    let mut goes = server.login("goes", "g");
    let mut changes = server.login("changes", "c");
    let mut stranger = server.open();
    reload(
        &server,
        &file,
        "authorization { users = [ {user: stays, password: s}, {user: comes, password: x}, {user: changes, password: other} ] }",
        RELOADED,
    );
    for client in [&mut goes, &mut changes] {
        client.expect("-ERR 'Authorization Violation'\r\n");
        client.expect_end();
    }
    let mut comes = server.login("comes", "x");
    comes.send("PUB a 1\r\nx\r\n");
    stays.expect("MSG a 1 1\r\nx\r\n");
    server.login("changes", "other").sync();
    server.refuses(&crate::connect("goes", "g"));
    // Connected before the reload, the client is checked against the new users.
    stranger.send(crate::connect("goes", "g"));
    stranger.expect("-ERR 'Authorization Violation'\r\n");
    stranger.expect_end();
    stays.sync();
}

#[test]
fn denied_subscriptions_end_and_others_stay() {
    let users = |permissions: &str| {
        format!(
            "authorization {{ users = [ {{user: u, password: p, permissions: {permissions}}}, {{user: all, password: p}} ] }}"
        )
    };
    let file = File::new(&users("{subscribe: [\"a.*\", \"b\"], publish: \"a.b\"}"));
    let server = Server::of(&file);
    let mut client = server.login("u", "p");
    client.send("SUB a.b 1\r\nSUB a.* 2\r\nSUB b 3\r\nSUB a.c group 4\r\n");
    client.sync();
    let mut all = server.login("all", "p");
    reload(
        &server,
        &file,
        &users("{subscribe: {allow: [\"a.*\"], deny: [\"a.b\", \"a.c\"]}, publish: \"c\"}"),
        RELOADED,
    );
    let mut lines: Vec<_> = (0..3).map(|_| client.line()).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "-ERR 'Permissions Violation for Subscription to \"a.b\" (sid \"1\")'",
            "-ERR 'Permissions Violation for Subscription to \"a.c\" (sid \"4\")'",
            "-ERR 'Permissions Violation for Subscription to \"b\" (sid \"3\")'",
        ]
    );
    client.send("PUB a.b 1\r\nx\r\n");
    client.expect("-ERR 'Permissions Violation for Publish to \"a.b\"'\r\n");
    all.send("PUB a.b 1\r\nx\r\nPUB a.d 1\r\ny\r\nPUB b 1\r\nz\r\n");
    // Of a.*, denied messages do not arrive.
    client.expect("MSG a.d 2 1\r\ny\r\n");
    client.sync();
    reload(&server, &file, &users("{}"), RELOADED);
    client.send("PUB a.b 1\r\nx\r\n");
    client.expect("MSG a.b 2 1\r\nx\r\n");
    client.sync();
}

#[test]
fn a_request_from_before_can_still_be_answered() {
    let users = |more: &str| {
        format!(
            "authorization {{ users = [ {{user: service, password: p, permissions: {{subscribe: \"svc\", allow_responses: true}}}}, {{user: all, password: p}} {more} ] }}"
        )
    };
    let file = File::new(&users(""));
    let server = Server::of(&file);
    let mut service = server.login("service", "p");
    service.send("SUB svc 1\r\n");
    service.sync();
    let mut all = server.login("all", "p");
    all.send("SUB back 2\r\nPUB svc back 1\r\nx\r\n");
    service.expect("MSG svc 1 back 1\r\nx\r\n");
    reload(
        &server,
        &file,
        &users(", {user: other, password: p}"),
        RELOADED,
    );
    service.send("PUB back 1\r\ny\r\nPUB back 1\r\nz\r\n");
    all.expect("MSG back 2 1\r\ny\r\n");
    // The user could answer once.
    service.expect("-ERR 'Permissions Violation for Publish to \"back\"'\r\n");
}

#[test]
fn a_file_with_errors_changes_nothing() {
    let good = "authorization { user: u, password: p }";
    let file = File::new(good);
    let server = Server::of(&file);
    let mut client = server.login("u", "p");
    for (wrong, said) in [
        ("authorization { user: u, password: ", "broker.conf"),
        (
            "authorization { user: x, password: y }\nno_such_key: 1",
            "no_such_key",
        ),
        (
            "authorization { users = [ {user: u, password: p, permissions: {publish: \"a..b\"}} ] }",
            "a..b",
        ),
        (
            "tls { cert_file: \"/nowhere/at/all\", key_file: \"/nowhere\" }",
            "/nowhere/at/all",
        ),
        (
            "authorization { user: u, password: p }\nserver_name: other",
            "--name",
        ),
    ] {
        reload(&server, &file, wrong, REFUSED);
        let log = server.log();
        assert!(
            log.iter().any(|line| line.contains(said)),
            "{said}: {log:?}"
        );
        client.sync();
        server.login("u", "p").sync();
        server.refuses(&crate::connect("x", "y"));
    }
    reload(&server, &file, good, RELOADED);
    client.sync();
}

#[test]
fn limits_change_for_connected_clients() {
    let file = File::new("max_payload: 100\nmax_subscriptions: 10\nmax_control_line: 1000");
    let server = Server::of(&file);
    let mut client = server.connect();
    client.send(format!("PUB a 50\r\n{}\r\n", "x".repeat(50)));
    client.sync();
    reload(
        &server,
        &file,
        "max_payload: 10\nmax_subscriptions: 1",
        RELOADED,
    );
    assert_eq!(Client::to(server.port).read_info()["max_payload"], 10);
    client.send("SUB a 1\r\nSUB b 2\r\n");
    client.expect("-ERR 'maximum subscriptions exceeded'\r\n");
    client.send(format!("PUB a 50\r\n{}\r\n", "x".repeat(50)));
    client.expect("-ERR 'Maximum Payload Violation'\r\n");
    client.expect_end();
}

#[test]
fn most_connections_are_let_in_again_after_a_reload() {
    let file = File::new("max_connections: 1");
    let server = Server::of(&file);
    let mut first = server.connect();
    let mut second = server.open();
    second.expect("-ERR 'maximum connections exceeded'\r\n");
    second.expect_end();
    reload(&server, &file, "max_connections: 2", RELOADED);
    server.connect().sync();
    first.sync();
}

#[test]
fn the_newest_connections_end_when_fewer_are_allowed() {
    let file = File::new("max_connections: 3");
    let server = Server::start(&["--config", file.path(), "--workers", "1"]);
    let mut clients = [(); 3].map(|()| server.connect());
    reload(&server, &file, "max_connections: 1", RELOADED);
    server.wait_for_log("closing 2 connections: max_connections is now 1");
    let [first, others @ ..] = &mut clients;
    for other in others {
        other.expect("-ERR 'maximum connections exceeded'\r\n");
        other.expect_end();
    }
    first.sync();
}

#[test]
fn a_server_that_was_open_closes_for_those_without_credentials() {
    let file = File::new("");
    let server = Server::of(&file);
    let mut client = server.connect();
    reload(&server, &file, "authorization { token: t }", RELOADED);
    client.expect("-ERR 'Authorization Violation'\r\n");
    client.expect_end();
    server.refuses("CONNECT {}\r\n");
    let mut client = server.open();
    client.send("CONNECT {\"verbose\":false,\"auth_token\":\"t\"}\r\n");
    client.sync();
    reload(&server, &file, "", RELOADED);
    client.sync();
    server.connect().sync();
}

#[test]
fn a_hashed_password_can_come_with_a_reload() {
    let file = File::new("authorization { user: u, password: secret }");
    let server = Server::of(&file);
    let hash = "$2a$04$a0j2bETjZg/gcVPjaw/tYuhozCBVdrhGO16Ow/.mBbxEvIsq.MeFq";
    let text = format!("authorization {{ user: u, password: \"{hash}\" }}");
    reload(&server, &file, &text, RELOADED);
    server.login("u", "secret").sync();
    server.refuses(&crate::connect("u", hash));
}

#[test]
fn traffic_goes_on_while_the_file_is_read_again_and_again() {
    let text = |number: u32| {
        format!(
            "no_auth_user: any\nauthorization {{ users = [ {{user: any, password: a}}, {{user: u{number}, password: p}} ] }}"
        )
    };
    let file = File::new(&text(0));
    let server = Server::of(&file);
    let mut bystanders = Bystanders::of(&server);
    for number in 1..20 {
        reload(&server, &file, &text(number), RELOADED);
        bystanders.check();
        server.login(&format!("u{number}"), "p").sync();
        server.refuses(&crate::connect(&format!("u{}", number - 1), "p"));
    }
}

#[test]
fn a_reload_without_a_file_is_an_error() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    server.signal(Signal::HUP);
    server.wait_for_log("--config");
    client.sync();
}
