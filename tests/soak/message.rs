//! The numbered messages of the steady publishers. Publisher and number determine the whole
//! message, so any wrong byte is detected.

use std::io::Write as _;

/// Topics that each publisher alternates between.
pub(crate) const TOPICS: u64 = 4;

/// Interval of messages with headers.
const HEADERS_EVERY: u64 = 5;

/// Interval of large messages: the server shares large payloads among subscribers and copies small
/// ones.
const LARGE_EVERY: u64 = 61;

const LARGE: usize = 9000;

pub(crate) fn subject(publisher: usize, number: u64) -> String {
    format!("work.{}.{publisher}", number % TOPICS)
}

fn headers(number: u64) -> Vec<u8> {
    if number.is_multiple_of(HEADERS_EVERY) {
        format!("NATS/1.0\r\nNumber: {number}\r\n\r\n").into_bytes()
    } else {
        Vec::new()
    }
}

fn payload(publisher: usize, number: u64) -> Vec<u8> {
    let mixed = number.wrapping_mul(7919) + publisher as u64 * 31;
    let mut length = 16 + usize::from(mixed.to_le_bytes()[0]);
    if number.is_multiple_of(LARGE_EVERY) {
        length += LARGE;
    }
    let mut payload = format!("{publisher} {number} ").into_bytes();
    let letters = (b'a'..=b'z').cycle().skip(length % 26);
    payload.extend(letters.take(length));
    payload
}

/// Appends PUB or HPUB.
pub(crate) fn append_frame(frames: &mut Vec<u8>, publisher: usize, number: u64) {
    let (subject, payload) = (subject(publisher, number), payload(publisher, number));
    let headers = headers(number);
    let total = headers.len() + payload.len();
    let _ = if headers.is_empty() {
        write!(frames, "PUB {subject} {total}\r\n")
    } else {
        write!(frames, "HPUB {subject} {} {total}\r\n", headers.len())
    };
    frames.extend_from_slice(&headers);
    frames.extend_from_slice(&payload);
    frames.extend_from_slice(b"\r\n");
}

/// Checks every byte of a message, and returns its publisher and number.
pub(crate) fn read(subject: &str, headers: &[u8], payload: &[u8]) -> Result<(usize, u64), String> {
    let numbers = || {
        let mut words = payload.split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(words.next()?).ok()?.parse::<u64>().ok();
        Some((usize::try_from(number()?).ok()?, number()?))
    };
    let told = || format!("{subject}: {:.80}", payload.escape_ascii().to_string());
    let (publisher, number) = numbers().ok_or_else(|| format!("no numbers in {}", told()))?;
    let is_right = subject == self::subject(publisher, number)
        && headers == self::headers(number)
        && payload == self::payload(publisher, number);
    if is_right {
        Ok((publisher, number))
    } else {
        Err(format!("not what was published: {}", told()))
    }
}
