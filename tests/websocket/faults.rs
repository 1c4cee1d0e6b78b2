//! Errors of WebSocket clients after the upgrade.

use std::time::Duration;

use rustix::process::Signal;

use crate::client::{Bystanders, Client};
use crate::page::{Page, close, frame, raw, serve};

#[test]
fn a_broken_rule_ends_the_connection_with_its_code_and_reason() {
    let server = serve(&["--websocket-compression"]);
    let mut bystanders = Bystanders::of(&server);
    let unmasked = b"\x82\x06PING\r\n".to_vec();
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    for (more, bytes, code, why) in [
        ("", unmasked, 1002, "mask bit missing"),
        ("", frame(0x83, b"x"), 1002, "unknown opcode 3"),
        ("", frame(0x80, b"x"), 1002, "invalid continuation frame"),
        (
            "",
            [frame(0x02, b""), frame(0x82, b"")].concat(),
            1002,
            "new message started before final frame for previous message was received",
        ),
        (
            "",
            frame(0x89, &[b'x'; 126]),
            1002,
            "control frame length bigger than maximum allowed of 125 bytes",
        ),
        (
            "",
            frame(0x09, b"x"),
            1002,
            "control frame does not have final bit set",
        ),
        ("", frame(0xc2, b"x"), 1002, "reserved bits set"),
        (deflate, frame(0xa2, b"x"), 1002, "reserved bits set"),
        (
            deflate,
            frame(0xc2, b"\xff\xff\xff"),
            1007,
            "invalid compressed data",
        ),
        (
            "",
            frame(0x88, b"\x03\xe8\xff"),
            1007,
            "invalid utf8 body in close frame",
        ),
        (
            "",
            [&[0x82, 0xff], &[0xff; 12][..]].concat(),
            1002,
            "frame length out of range",
        ),
    ] {
        let (mut client, _) = raw(&server, more);
        client.send(&bytes);
        client.expect(close(code, why));
        client.expect_end();
    }
    bystanders.check();
}

/// Input before the error is executed.
#[test]
fn earlier_input_is_executed() {
    let server = serve(&[]);
    let mut other = server.connect();
    other.send("SUB a 1\r\n");
    other.sync();
    let (mut client, _) = raw(&server, "");
    client.send([frame(0x82, b"PUB a 1\r\nx\r\n"), frame(0x83, b"")].concat());
    other.expect("MSG a 1 1\r\nx\r\n");
    client.expect(close(1002, "unknown opcode 3"));
}

#[test]
fn a_nats_error_has_its_close_code() {
    let server = serve(&["--max-payload", "1000"]);
    let long = "x".repeat(5000);
    for (text, line, code) in [
        ("NONSENSE\r\n", "Unknown Protocol Operation", 1002),
        ("PUB a 1001\r\n", "Maximum Payload Violation", 1009),
        (&*long, "Unknown Protocol Operation", 1002),
    ] {
        let mut page = Page::open(&server, &[]).expect("it is accepted");
        page.line();
        page.send(text);
        assert_eq!(page.expect_close(format!("-ERR '{line}'\r\n")), code);
    }
}

/// Two megabytes in fourteen kilobytes, repeatedly, in one message.
#[test]
#[cfg(target_os = "linux")]
fn a_bomb_ends_its_connection_and_takes_no_memory() {
    let server = serve(&["--websocket-compression", "--max-payload", "65536"]);
    let mut bystanders = Bystanders::of(&server);
    let before = server.resident();
    // A block of fixed codes: PONG, which causes nothing, and copies of 43 bytes of it from six
    // bytes before.
    let mut bits = Bits::default();
    bits.push(0b010, 3);
    for byte in b"PONG\r\n" {
        bits.push_code(0b0011_0000 + u32::from(*byte), 8);
    }
    for _ in 0..8000 {
        bits.push_code(0b1100_0101, 8);
        bits.push_code(4, 5);
        bits.push(1, 1);
    }
    bits.push_code(0, 7);
    bits.push(0, 3);
    let bomb = bits.bytes();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut clients: Vec<Client> = std::iter::repeat_with(|| raw(&server, offer).0)
        .take(16)
        .collect();
    for client in &mut clients {
        client.send_in_vain(&frame(0x42, &bomb));
        for _ in 0..20 {
            client.send_in_vain(&frame(0x00, &bomb));
        }
    }
    let most = 2 * (65_536 + 4096) + 65_536;
    for client in &mut clients {
        let found = client.read_to_end();
        let why = format!("message inflates to more than {most} bytes");
        // Unread input may turn the end into a reset.
        assert!(
            found.is_empty() || found.ends_with(&close(1009, &why)),
            "{found:?}"
        );
    }
    bystanders.check();
    let more = server.resident().saturating_sub(before);
    assert!(more < 32 << 20, "{more} bytes more");
}

/// The bits of a deflate stream.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, value: u32, count: usize) {
        for index in 0..count {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = u8::from(value >> index & 1 == 1);
            *self.bytes.last_mut().expect("just pushed") |= bit << (self.count % 8);
            self.count += 1;
        }
    }

    /// Codes have their most significant bit first.
    fn push_code(&mut self, code: u32, count: usize) {
        self.push(code.reverse_bits() >> (32 - count), count);
    }

    fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[test]
fn a_flood_of_pings_disturbs_no_other_client() {
    let server = serve(&[]);
    let mut bystanders = Bystanders::of(&server);
    let (mut client, _) = raw(&server, "");
    let flood = frame(0x89, &[b'x'; 125]).repeat(1000);
    client
        .stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .expect("not zero");
    for _ in 0..200 {
        client.send_in_vain(&flood);
    }
    bystanders.check();
    Page::connect(&server).sync();
}

#[test]
fn a_slow_consumer_is_closed_like_tcp_clients() {
    let server = serve(&[
        "--max-pending",
        "1000000",
        "--write-deadline",
        "1",
        "--http",
        "127.0.0.1:0",
    ]);
    let mut bystanders = Bystanders::of(&server);
    let (mut slow, _) = raw(&server, "");
    slow.send(frame(0x82, b"SUB a 1\r\nPING\r\n"));
    slow.expect(b"\x82\x06PONG\r\n");
    let mut publisher = server.connect();
    let message = [b"PUB a 100000\r\n", &vec![b'x'; 100_000][..], b"\r\n"].concat();
    while server.varz()["slow_consumers"] == 0 {
        publisher.send(&message);
    }
    bystanders.check();
}

#[test]
fn a_shutdown_has_its_close_code() {
    let soon = [
        "--lame-duck-duration",
        "0.2",
        "--lame-duck-grace-period",
        "0.1",
    ];
    for signal in [Signal::TERM, Signal::USR2] {
        let mut server = serve(&soon);
        let mut page = Page::connect(&server);
        server.signal(signal);
        let info = page.line();
        assert!(info.contains("\"ldm\":true"), "{info}");
        assert_eq!(page.expect_close(""), 1001);
        assert!(server.wait().success());
    }
}
