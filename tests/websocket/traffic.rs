//! Messages between WebSocket clients and TCP clients.

use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::client::CONNECT;
use crate::page::{Page, close, frame, raw, serve, stored};

#[test]
fn messages_of_all_sizes_go_both_ways() {
    let server = serve(&["--workers", "2"]);
    let mut page = Page::connect(&server);
    let mut browser = Page::open(&server, &[("user-agent", "Mozilla/5.0")]).expect("accepted");
    browser.line();
    browser.send(CONNECT);
    let mut client = server.connect();
    for page in [&mut page, &mut browser] {
        page.send("SUB a 1\r\n");
        page.sync();
    }
    client.send("SUB a 1\r\n");
    client.sync();
    for size in [0, 1, 125, 126, 4096, 16_384, 65_536, 100_000, 1 << 20] {
        let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
        let framed = |verb: &str| {
            let head = format!("{verb} {size}\r\n");
            [head.as_bytes(), &payload, b"\r\n"].concat()
        };
        page.send(framed("PUB a"));
        client.send(framed("PUB a"));
        for _ in 0..2 {
            page.expect(framed("MSG a 1"));
            browser.expect(framed("MSG a 1"));
            client.expect(framed("MSG a 1"));
        }
    }
}

#[test]
fn many_small_messages_come_once_and_in_order() {
    let server = serve(&["--workers", "2"]);
    let mut page = Page::connect(&server);
    let mut client = server.connect();
    page.send("SUB a 1\r\n");
    page.sync();
    client.send("SUB b 1\r\n");
    client.sync();
    for _ in 0..20 {
        for number in 0..1000 {
            client.send(format!("PUB a 4\r\n{number:04}\r\n"));
            page.send(format!("PUB b 4\r\n{number:04}\r\n"));
        }
        for number in 0..1000 {
            client.expect(format!("MSG b 1 4\r\n{number:04}\r\n"));
            page.expect(format!("MSG a 1 4\r\n{number:04}\r\n"));
        }
    }
}

#[test]
fn a_page_asks_and_is_answered() {
    let server = serve(&[]);
    let mut page = Page::connect(&server);
    let mut service = server.connect();
    service.send("SUB service 1\r\n");
    service.sync();
    page.send("SUB _INBOX.x 1\r\nPUB service _INBOX.x 3\r\nask\r\nPUB nobody _INBOX.x 0\r\n\r\n");
    service.expect("MSG service 1 _INBOX.x 3\r\nask\r\n");
    page.expect("HMSG _INBOX.x 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
    service.send("PUB _INBOX.x 6\r\nanswer\r\n");
    page.expect("MSG _INBOX.x 1 6\r\nanswer\r\n");
}

#[test]
fn fragments_text_and_pings_make_no_difference() {
    let server = serve(&[]);
    let (mut client, _) = raw(&server, "");
    let frames = [
        frame(0x01, b"SUB a"),
        frame(0x89, b"are you there?"),
        frame(0x00, b""),
        frame(0x00, b" 1\r\nPUB a 5\r\nhe"),
        frame(0x8a, b"unasked for"),
        frame(0x80, b"llo"),
        frame(0x82, b"\r\n"),
    ]
    .concat();
    for byte in frames {
        client.send([byte]);
    }
    client.expect(b"\x8a\x0eare you there?");
    client.expect(b"\x82\x12MSG a 1 5\r\nhello\r\n");
}

#[test]
fn frames_to_browsers_are_short() {
    let server = serve(&[]);
    let (mut client, _) = raw(&server, "User-Agent: Mozilla/5.0\r\n");
    client.send(frame(0x82, b"SUB a 1\r\nPING\r\n"));
    client.expect(b"\x82\x06PONG\r\n");
    let mut other = server.connect();
    let size = 10_000;
    other.send([b"PUB a 10000\r\n", &vec![b'x'; size][..], b"\r\n"].concat());
    let mut left = b"MSG a 1 10000\r\n".len() + size + 2;
    while left > 0 {
        let length = left.min(4096);
        let short = u16::try_from(length).expect("it is short");
        if length > 125 {
            client.expect([&[0x82, 126][..], &short.to_be_bytes()].concat());
        } else {
            client.expect([0x82, u8::try_from(length).expect("it is short")]);
        }
        let text = [b"MSG a 1 10000\r\n", &vec![b'x'; size][..], b"\r\n"].concat();
        let from = text.len() - left;
        client.expect(&text[from..from + length]);
        left -= length;
    }
}

#[test]
fn a_close_is_answered_in_the_same_words() {
    let server = serve(&[]);
    let mut page = Page::connect(&server);
    let bye = CloseFrame {
        code: CloseCode::Away,
        reason: "bye".into(),
    };
    page.send("SUB a 1\r\nPUB a 1\r\nx\r\n");
    page.socket
        .send(Message::Close(Some(bye)))
        .expect("it is read");
    assert_eq!(page.expect_close("MSG a 1 1\r\nx\r\n"), 1001);
    let (mut client, _) = raw(&server, "");
    client.send(frame(0x88, b""));
    client.expect([0x88, 0]);
    client.expect_end();
    let (mut client, _) = raw(&server, "");
    client.send(frame(0x88, b"\x0f\xa0own code"));
    client.expect(close(4000, "own code"));
    client.expect_end();
}

#[test]
fn info_describes_the_websocket_port() {
    let server = serve(&[]);
    let port = crate::page::port(&server);
    let mut page = Page::open(&server, &[]).expect("it is accepted");
    let line = page.line();
    let info: serde_json::Value = serde_json::from_str(&line[5..]).expect("JSON");
    assert_eq!(info["port"], port);
    assert!(info.get("tls_required").is_none());
}

#[test]
fn compression_is_used_where_negotiated() {
    let server = serve(&["--websocket-compression"]);
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let (mut client, answer) = raw(&server, offer);
    let agreed = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert!(answer.iter().any(|line| line == agreed), "{answer:?}");
    let stored = stored(b"SUB a 1\r\nPING\r\n");
    client.send(frame(0xc2, &stored));
    client.expect(b"\x82\x06PONG\r\n");
    let (first, second) = stored.split_at(7);
    client.send([frame(0x42, first), frame(0x80, second)].concat());
    client.expect(b"\x82\x06PONG\r\n");
    // A message that is long enough comes back compressed, and therefore shorter.
    client.send(frame(
        0x82,
        &[b"PUB a 100\r\n", &[b'x'; 100][..], b"\r\n"].concat(),
    ));
    let head = client.take(2);
    assert!(head[0] == 0xc2 && head[1] < 60, "{head:x?}");
    // Without the flag or the offer, there is no compression.
    for (flags, offer) in [(&[][..], offer), (&["--websocket-compression"], "")] {
        let (_, answer) = raw(&serve(flags), offer);
        assert!(!answer.iter().any(|line| line.contains("Extensions")));
    }
}

/// nats.js sends two publishes in one message, if the first one came when its buffer was empty.
#[test]
fn two_of_the_largest_frames_may_come_in_one_message() {
    let server = serve(&["--websocket-compression"]);
    let mut other = server.connect();
    other.send("SUB a 1\r\n");
    other.sync();
    let payload = vec![b'x'; 1 << 20];
    let framed = |verb: &str| [verb.as_bytes(), b" 1048576\r\n", &payload, b"\r\n"].concat();
    let (mut client, _) = raw(&server, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    client.send(frame(0xc2, &stored(&framed("PUB a").repeat(2))));
    other.expect(framed("MSG a 1").repeat(2));
    client.send(frame(0x82, b"PING\r\n"));
    client.expect(b"\x82\x06PONG\r\n");
}

#[test]
fn credentials_are_required_as_for_tcp_clients() {
    let server = serve(&["--token", "secret"]);
    let mut page = Page::open(&server, &[]).expect("it is accepted");
    page.line();
    page.send("CONNECT {\"verbose\":false,\"auth_token\":\"secret\"}\r\nPING\r\n");
    page.expect("PONG\r\n");
    let mut page = Page::open(&server, &[]).expect("it is accepted");
    page.line();
    page.send("CONNECT {\"auth_token\":\"wrong\"}\r\n");
    assert_eq!(
        page.expect_close("-ERR 'Authorization Violation'\r\n"),
        1008
    );
}
