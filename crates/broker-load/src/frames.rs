//! The frames that the load generator sends.

use std::io::Write;

/// Returns a subject of this run, by its index. The run's random name keeps
/// other runs' messages out of the count.
pub(super) fn subject(run: &str, place: usize) -> String {
    format!("bench.{run}.{place}")
}

/// Returns the subject for a requester's answers.
pub(super) fn inbox(run: &str, place: usize) -> String {
    format!("_INBOX.{run}.{place}")
}

/// Returns the subject that [`super::crossing`] uses.
pub(super) fn crossing(run: &str) -> String {
    format!("bench.{run}.crossing")
}

/// Returns a PUB with a payload of `size` bytes.
pub(super) fn publish(subject: &str, reply: &str, size: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(size + 64);
    let space = if reply.is_empty() { "" } else { " " };
    // Writing to memory cannot fail.
    let _ = write!(frame, "PUB {subject} {reply}{space}{size}\r\n");
    frame.extend((b'a'..=b'z').cycle().take(size));
    frame.extend(b"\r\n");
    frame
}

/// Appends a PUB with the given payload.
pub(super) fn answer(out: &mut Vec<u8>, subject: &[u8], payload: &[u8]) {
    out.extend(b"PUB ");
    out.extend(subject);
    let _ = write!(out, " {}\r\n", payload.len());
    out.extend(payload);
    out.extend(b"\r\n");
}

/// Returns a SUB, in a queue group if one is given.
pub(super) fn subscribe(subject: &str, queue: Option<&str>) -> String {
    match queue {
        Some(queue) => format!("SUB {subject} {queue} 1\r\n"),
        None => format!("SUB {subject} 1\r\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_protocol() {
        assert_eq!(publish("a.b", "", 3), b"PUB a.b 3\r\nabc\r\n");
        assert_eq!(publish("a.b", "c", 0), b"PUB a.b c 0\r\n\r\n");
        let mut out = b"x".to_vec();
        answer(&mut out, b"_INBOX.1", b"hello");
        assert_eq!(out, b"xPUB _INBOX.1 5\r\nhello\r\n");
        assert_eq!(subscribe("a", None), "SUB a 1\r\n");
        assert_eq!(subscribe("a", Some("q")), "SUB a q 1\r\n");
    }
}
