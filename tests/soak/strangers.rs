//! Visitors that read too little, send nothing, or send garbage.

use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::run::{Run, count};
use crate::server::PATIENCE;
use crate::visitor::Visitor;

/// The longest visit of a slow reader or a silent client.
const MOST_MS: u64 = 400;

/// Approximate number of bytes that the socket of such a client buffers.
const ROOM: usize = 4096;

/// Size of the messages that a client without reading sends to itself. Sockets buffer megabytes
/// before a client is slow.
const PAYLOAD: usize = 64 * 1024;

/// Has a small buffer, and reads a little of it now and then.
pub(crate) fn read_slowly(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::with_room(run, rng, ROOM);
    visitor.send("SUB noise.> 1\r\nSUB work.> 2\r\n");
    let until = until(&mut visitor);
    while Instant::now() < until && visitor.read(1024) {
        visitor.pause(10);
    }
    // Reading the rest through a small buffer would take long.
    let socket = socket2::SockRef::from(&visitor.client.stream);
    socket.set_recv_buffer_size(1 << 20).expect("it is TCP");
    visitor.leave();
}

/// Publishes to itself until the server closes the connection.
pub(crate) fn read_nothing(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::with_room(run, rng, ROOM);
    let id = visitor.id;
    visitor.send(format!("SUB stuck.{id} 1\r\n"));
    let mut frame = format!("PUB stuck.{id} {PAYLOAD}\r\n").into_bytes();
    frame.resize(frame.len() + PAYLOAD, b'x');
    frame.extend_from_slice(b"\r\n");
    let deadline = Instant::now() + PATIENCE;
    while visitor.send(&frame) {
        if Instant::now() > deadline {
            return run.fault("a client that does not read is not closed");
        }
    }
    count(&run.counts.closed_as_slow, 1);
}

/// Sends nothing, not even CONNECT.
pub(crate) fn say_nothing(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::open(run, rng);
    visitor.pause(MOST_MS);
    visitor.leave();
}

/// Sends random bytes, perhaps after a valid beginning.
pub(crate) fn babble(run: &Run, rng: &mut Rng) {
    const STARTS: [&str; 6] = [
        "",
        "PUB a 9999\r\n",
        "SUB ",
        "CONNECT {",
        "HPUB x 1 2\r\n",
        "\r\n",
    ];
    let mut visitor = Visitor::open(run, rng);
    let start = visitor.rng.choice(STARTS).unwrap_or_default();
    let length = visitor.rng.usize(1..5000);
    let noise = (0..length).map(|_| visitor.rng.u8(..));
    let bytes: Vec<u8> = start.bytes().chain(noise).collect();
    visitor.send(bytes);
    visitor.leave();
}

/// Leaves within a frame.
pub(crate) fn cut_off(run: &Run, rng: &mut Rng) {
    let mut visitor = Visitor::connect(run, rng);
    let size = visitor.rng.usize(1..=PAYLOAD);
    let whole = match visitor.rng.u32(..4) {
        0 => format!("SUB work.> mortals 1\r\nSUB noise.{} 2", visitor.id),
        1 => format!(
            "HPUB noise.a 12 {}\r\nNATS/1.0\r\n\r\n{}",
            12 + size,
            "x".repeat(size)
        ),
        _ => format!("PUB noise.a {size}\r\n{}\r", "x".repeat(size)),
    };
    let cut = visitor.rng.usize(1..=whole.len());
    visitor.send(&whole[..cut]);
    visitor.pause(20);
    visitor.leave();
}

fn until(visitor: &mut Visitor) -> Instant {
    Instant::now() + Duration::from_millis(visitor.rng.u64(..MOST_MS))
}
