//! Parses a client's output.

use super::history::History;

/// Number of digits of the message number at the start of each payload and at the end of each reply
/// subject.
pub(super) const DIGITS: usize = 6;

/// The server's answer to a request without responders.
const STATUS: &[u8] = b"NATS/1.0 503\r\n\r\n";

/// A part of a client's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Message {
        number: usize,
        sid: u32,
    },
    /// No subscriber got the request with this number.
    NobodyGot {
        number: usize,
        sid: u32,
    },
    /// Any other line: PONG, +OK, -ERR.
    Line(String),
}

/// Parses a client's output. Each message must be as it was published.
pub(super) fn parse(
    mut output: &[u8],
    history: &History,
    client: usize,
) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    while !output.is_empty() {
        let end = output.windows(2).position(|two| two == b"\r\n");
        let line = &output[..end.ok_or("half a line")?];
        output = &output[line.len() + 2..];
        let line = std::str::from_utf8(line).map_err(|_| "no text")?;
        let words: Vec<_> = line.split(' ').collect();
        let numbers = match words[0] {
            "MSG" => 1,
            "HMSG" => 2,
            _ => {
                events.push(Event::Line(line.to_owned()));
                continue;
            }
        };
        let error = || format!("{line:?} is not what was published");
        let (words, sizes) = words
            .split_at_checked(words.len() - numbers)
            .ok_or_else(error)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| error());
        let size = number(sizes[numbers - 1])?;
        let header = if numbers == 2 { number(sizes[0])? } else { 0 };
        let body = output.get(..size).ok_or("half a message")?;
        if output.get(size..size + 2) != Some(b"\r\n") {
            return Err("a message of another length".to_owned());
        }
        output = &output[size + 2..];
        let (subject, sid, reply) = match *words {
            [_, subject, sid] => (subject, sid, None),
            [_, subject, sid, reply] => (subject, sid, Some(reply)),
            _ => return Err(error()),
        };
        let sid = sid.parse().map_err(|_| error())?;
        if body == STATUS {
            if numbers == 1 || header != size || reply.is_some() {
                return Err(error());
            }
            let digits = subject.len().checked_sub(DIGITS).ok_or_else(error)?;
            let number = number(&subject[digits..])?;
            let request = history.messages.get(number).ok_or_else(error)?;
            if request.reply.as_deref() != Some(subject) {
                return Err(error());
            }
            events.push(Event::NobodyGot { number, sid });
            continue;
        }
        let (headers, payload) = body.split_at_checked(header).ok_or_else(error)?;
        let digits = payload.get(..DIGITS).ok_or_else(error)?;
        let number = number(&String::from_utf8_lossy(digits))?;
        let message = history.messages.get(number).ok_or_else(error)?;
        let understands_headers = history.clients[client].1;
        let expected_headers: &[u8] = if understands_headers {
            &message.headers
        } else {
            b""
        };
        if subject != message.subject
            || reply != message.reply.as_deref()
            || headers != expected_headers
            || (numbers == 2) == expected_headers.is_empty()
            || payload != message.payload
        {
            return Err(error());
        }
        events.push(Event::Message { number, sid });
    }
    Ok(events)
}
