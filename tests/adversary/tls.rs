//! Attacks on a TLS server.

use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::arena::Attack;
use crate::attacker::Attacker;

#[test]
fn handshakes_that_come_byte_by_byte() {
    Attack::new("slow handshake").by_tls().run(|target| {
        let mut attackers: Vec<Attacker> = (0..200).map_while(|_| target.open()).collect();
        // The header of a record that announces 16,000 bytes, and some of them.
        let record = [
            b"\x16\x03\x01\x3e\x80\x01\x00\x3e\x7c\x03\x03",
            &[7; 500][..],
        ]
        .concat();
        for byte in record {
            if !target.goes_on() {
                break;
            }
            attackers.retain_mut(|attacker| attacker.send([byte]));
            thread::sleep(Duration::from_millis(5));
        }
    });
}

#[test]
fn unread_pongs_over_tls() {
    let attack = Attack::new("unread by TLS").by_tls();
    attack.flags(&["--max-pending", "1048576"]).run(|target| {
        let files = target.files.expect("it speaks TLS");
        let mut attacker = files.client(target.server, false);
        let timeout = Some(Duration::from_millis(200));
        attacker.sock.set_write_timeout(timeout).expect("not zero");
        let _ = attacker.write_all(b"CONNECT {\"verbose\":false}\r\n");
        let pings = "PING\r\n".repeat(2000);
        while target.goes_on() && attacker.write_all(pings.as_bytes()).is_ok() {}
    });
}

#[test]
fn garbage_instead_of_handshakes() {
    Attack::new("no handshake").by_tls().run(|target| {
        let mut rng = fastrand::Rng::with_seed(3);
        while target.goes_on() {
            let Some(mut attacker) = target.open() else {
                break;
            };
            let noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(500).collect();
            attacker.send(noise);
        }
    });
}
