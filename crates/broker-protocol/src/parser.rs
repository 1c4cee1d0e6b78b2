//! Splits a client's input into frames, without copying.
//!
//! The parser keeps no state between calls: each call gets all bytes of a frame that have arrived.
//! Memory is bounded in every state: a control line is rejected as soon as it exceeds its limit,
//! and a payload as soon as its size is announced.

use super::{Message, ProtocolError, Span};

/// Upper bounds in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest control line: the arguments of a verb.
    pub max_control_line: usize,
    /// Largest payload of a message, including headers.
    pub max_payload: usize,
}

/// One command of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// CONNECT with its JSON.
    Connect(&'a [u8]),
    /// PUB or HPUB.
    Publish(Publish),
    /// SUB.
    Subscribe {
        /// The subject; not yet checked.
        subject: &'a [u8],
        /// The queue group, in which one member gets each message.
        queue: Option<&'a [u8]>,
        /// The client's id of the subscription.
        sid: &'a [u8],
    },
    /// UNSUB.
    Unsubscribe {
        /// The client's id of the subscription.
        sid: &'a [u8],
        /// The total number of messages after which the subscription ends; at once if `None`.
        max: Option<u64>,
    },
    /// PING.
    Ping,
    /// PONG.
    Pong,
    /// INFO or +OK: allowed, but meaningless from a client.
    Ignored,
}

/// The parts of a PUB or HPUB, as positions in the parser's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish {
    /// The parts.
    pub message: Message,
    /// Whether the part after the subject can be passed on unchanged, see [`Message`].
    pub canonical: bool,
    /// Whether the line has no control bytes. nats-server passes them on, but a `\\r` or NUL in a
    /// subject breaks subscribers that read lines or C strings.
    pub valid: bool,
    /// Whether the verb was HPUB.
    pub with_headers: bool,
}

/// The result of [`parse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A frame and its length in bytes.
    Frame(Frame<'a>, usize),
    /// The frame is not complete. Contains the frame's length if it is known, else 0.
    Incomplete(usize),
}

/// Reads the frame at the start of `input`.
///
/// # Errors
///
/// The client's error; the parser cannot continue after it.
#[inline]
pub fn parse<'a>(input: &'a [u8], limits: &Limits) -> Result<Parsed<'a>, ProtocolError> {
    // One comparison finds the most frequent verb.
    if input.starts_with(b"PUB ") {
        return publish(input, 3, limits);
    }
    let lower = |at: usize| input.get(at).map(u8::to_ascii_lowercase);
    match (lower(0), lower(1)) {
        (Some(b'p'), Some(b'u')) => publish_verb(input, b"pub", limits),
        (Some(b'h'), _) => publish_verb(input, b"hpub", limits),
        (Some(b'p'), Some(b'i')) => simple(input, b"ping", limits, Frame::Ping),
        (Some(b'p'), Some(b'o')) => simple(input, b"pong", limits, Frame::Pong),
        (Some(b's'), _) => with_arguments(input, b"sub", limits, subscribe),
        (Some(b'u'), _) => with_arguments(input, b"unsub", limits, unsubscribe),
        (Some(b'c'), _) => connect(input, limits),
        (Some(b'i'), _) => simple(input, b"info", limits, Frame::Ignored),
        (Some(b'+'), _) => simple(input, b"+ok", limits, Frame::Ignored),
        // A client that reports an error is about to disconnect.
        (Some(b'-'), _) => with_arguments(input, b"-err", limits, |_| None),
        (None, _) | (Some(b'p'), None) => Ok(Parsed::Incomplete(0)),
        _ => Err(ProtocolError::UnknownOperation),
    }
}

/// Returns whether the verb is complete; an error as soon as it differs.
pub(super) fn has_verb(input: &[u8], verb: &[u8]) -> Result<bool, ProtocolError> {
    let there = input.len().min(verb.len());
    if input[..there].eq_ignore_ascii_case(&verb[..there]) {
        Ok(there == verb.len())
    } else {
        Err(ProtocolError::UnknownOperation)
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Returns the rest of a line from `start`, without the blanks before it and the line end, and the
/// position of the next line.
pub(super) fn line<'a>(
    input: &'a [u8],
    start: usize,
    limits: &Limits,
) -> Result<Option<(&'a [u8], usize)>, ProtocolError> {
    let rest = &input[start..];
    // The limit includes the blanks before the arguments.
    let bound = rest.len().min(limits.max_control_line + 3);
    let Some(end) = rest[..bound].iter().position(|&byte| byte == b'\n') else {
        return if bound < rest.len() || rest.len() > limits.max_control_line + 2 {
            Err(ProtocolError::ControlLine)
        } else {
            Ok(None)
        };
    };
    let text = &rest[..end];
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let blanks = text.iter().take_while(|&&byte| is_blank(byte)).count();
    let text = &text[blanks..];
    if text.len() > limits.max_control_line {
        return Err(ProtocolError::ControlLine);
    }
    Ok(Some((text, start + end + 1)))
}

/// Reads a verb without arguments; ignores the rest of the line.
fn simple<'a>(
    input: &'a [u8],
    verb: &[u8],
    limits: &Limits,
    frame: Frame<'a>,
) -> Result<Parsed<'a>, ProtocolError> {
    if !has_verb(input, verb)? {
        return Ok(Parsed::Incomplete(0));
    }
    Ok(match line(input, verb.len(), limits)? {
        Some((_, next)) => Parsed::Frame(frame, next),
        None => Parsed::Incomplete(0),
    })
}

fn connect<'a>(input: &'a [u8], limits: &Limits) -> Result<Parsed<'a>, ProtocolError> {
    const VERB: &[u8] = b"connect";
    if !has_verb(input, VERB)? {
        return Ok(Parsed::Incomplete(0));
    }
    Ok(match line(input, VERB.len(), limits)? {
        Some((json, next)) => Parsed::Frame(Frame::Connect(json), next),
        None => Parsed::Incomplete(0),
    })
}

/// Reads a verb, a blank and arguments for `read`, which returns `None` if they are malformed.
fn with_arguments<'a>(
    input: &'a [u8],
    verb: &[u8],
    limits: &Limits,
    read: impl FnOnce(&'a [u8]) -> Option<Frame<'a>>,
) -> Result<Parsed<'a>, ProtocolError> {
    if !has_verb(input, verb)? {
        return Ok(Parsed::Incomplete(0));
    }
    match input.get(verb.len()) {
        None => return Ok(Parsed::Incomplete(0)),
        Some(&blank) if is_blank(blank) => {}
        Some(_) => return Err(ProtocolError::UnknownOperation),
    }
    match line(input, verb.len() + 1, limits)? {
        None => Ok(Parsed::Incomplete(0)),
        Some((arguments, next)) => read(arguments)
            .map(|frame| Parsed::Frame(frame, next))
            .ok_or(ProtocolError::Arguments),
    }
}

/// Returns the words of a line, as nats-server separates them for verbs other than PUB.
fn words(arguments: &[u8]) -> impl Iterator<Item = &[u8]> {
    arguments
        .split(|&byte| is_blank(byte) || byte == b'\r')
        .filter(|word| !word.is_empty())
}

fn subscribe(arguments: &[u8]) -> Option<Frame<'_>> {
    let mut words = words(arguments);
    let (subject, second, third) = (words.next()?, words.next()?, words.next());
    let (queue, sid) = match third {
        Some(third) => (Some(second), third),
        None => (None, second),
    };
    words.next().is_none().then_some(Frame::Subscribe {
        subject,
        queue,
        sid,
    })
}

fn unsubscribe(arguments: &[u8]) -> Option<Frame<'_>> {
    let mut words = words(arguments);
    let sid = words.next()?;
    // A malformed number ends the subscription at once, like an omitted one.
    let max = words.next().and_then(size).map(|max| max as u64);
    words
        .next()
        .is_none()
        .then_some(Frame::Unsubscribe { sid, max })
}

/// Parses a number of bytes: at most nine digits, as in nats-server, so it fits into 32 bits.
pub(super) fn size(digits: &[u8]) -> Option<usize> {
    const MAX_DIGITS: usize = 9;
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + usize::from(digit - b'0'))
    })
}

/// Returns the number of bytes before the first blank or control byte.
#[inline]
fn word_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH_BITS: u64 = ONES << 7;
    const DELETE: u8 = 0x7f;
    let mut length = 0;
    while let Some(eight) = bytes[length..].first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        // The high bit remains for each byte up to ' ', and perhaps for later bytes, from which the
        // subtraction has borrowed.
        let low = eight.wrapping_sub(ONES * (u64::from(b' ') + 1)) & !eight;
        // The same for DEL: after the XOR only a DEL byte is 0.
        let delete = eight ^ (ONES * u64::from(DELETE));
        let found = (low | delete.wrapping_sub(ONES) & !delete) & HIGH_BITS;
        if found != 0 {
            return length + found.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = &bytes[length..];
    let end = rest.iter().position(|&byte| byte <= b' ' || byte == DELETE);
    length + end.unwrap_or(rest.len())
}

/// Matches PUB or HPUB in any case.
fn publish_verb<'a>(
    input: &'a [u8],
    verb: &[u8],
    limits: &Limits,
) -> Result<Parsed<'a>, ProtocolError> {
    if !has_verb(input, verb)? {
        return Ok(Parsed::Incomplete(0));
    }
    match input.get(verb.len()) {
        None => Ok(Parsed::Incomplete(0)),
        Some(&blank) if is_blank(blank) => publish(input, verb.len(), limits),
        Some(_) => Err(ProtocolError::UnknownOperation),
    }
}

/// Reads a frame whose verb is PUB or HPUB, depending on the verb's length. This is the hottest
/// path of the broker.
#[inline]
fn publish<'a>(input: &'a [u8], verb: usize, limits: &Limits) -> Result<Parsed<'a>, ProtocolError> {
    match usual_line(input, verb, limits) {
        Some(line) => finish(input, &line, limits),
        None => any_publish(input, verb, limits),
    }
}

/// The parts of a PUB or HPUB line.
struct Line {
    subject: Span,
    reply: Span,
    /// Start of the reply, or of the first number if there is no reply.
    tail: usize,
    headers: Option<Span>,
    total: Span,
    /// Start of the payload.
    body: usize,
    canonical: bool,
    valid: bool,
}

/// Reads a PUB line in the form that almost all clients use, with one space before each field. The
/// code has no loop over the fields, because such a loop would keep them in memory.
#[allow(
    clippy::inline_always,
    reason = "otherwise the result would be written to memory and read again"
)]
#[inline(always)]
fn usual_line(input: &[u8], verb: usize, limits: &Limits) -> Option<Line> {
    const VERB: usize = 3;
    let field = |start: usize| {
        let rest = input.get(start..)?;
        let length = word_length(rest);
        (length > 0).then_some(Span::new(start, start + length))
    };
    let ends = |field: Span| {
        let end = input.get(field.end()..field.end() + 2)?;
        Some((end[0] == b' ', end == b"\r\n"))
    };
    if verb != VERB || input.get(VERB) != Some(&b' ') {
        return None;
    }
    let subject = field(VERB + 1)?;
    let (true, _) = ends(subject)? else {
        return None;
    };
    let tail = subject.end() + 1;
    let second = field(tail)?;
    let (reply, total) = match ends(second)? {
        (_, true) => (Span::default(), second),
        (true, _) => (second, field(second.end() + 1)?),
        _ => return None,
    };
    let is_line = reply.is_empty() || ends(total)?.1;
    let end = total.end() + 2;
    if !is_line || end > VERB + limits.max_control_line {
        return None;
    }
    Some(Line {
        subject,
        reply,
        tail,
        headers: None,
        total,
        body: end,
        canonical: true,
        valid: true,
    })
}

/// Reads any form of a PUB or HPUB line, in one pass.
#[inline(never)]
fn any_publish<'a>(
    input: &'a [u8],
    verb: usize,
    limits: &Limits,
) -> Result<Parsed<'a>, ProtocolError> {
    let mut at = verb;
    let with_headers = verb == 4;
    let most = if with_headers { 4 } else { 3 };
    let line = &input[..input.len().min(at + limits.max_control_line + 3)];

    let mut fields = [Span::default(); 4];
    let mut count = 0;
    let mut canonical = true;
    let mut valid = true;
    loop {
        let gap = at;
        while at < line.len() && is_blank(line[at]) {
            at += 1;
        }
        let begin = at;
        canonical &= begin == gap + 1 && line[gap] == b' ';
        let (end, ends) = loop {
            at += word_length(&line[at..]);
            match (line.get(at), line.get(at + 1)) {
                (Some(b' ' | b'\t'), _) => break (at, false),
                (Some(b'\r'), Some(b'\n')) => {
                    at += 1;
                    break (at - 1, true);
                }
                (Some(b'\n'), _) => {
                    canonical = false;
                    break (at, true);
                }
                (Some(_), _) => {
                    valid = false;
                    at += 1;
                }
                (None, _) if at < input.len() || at > verb + limits.max_control_line + 2 => {
                    return Err(ProtocolError::ControlLine);
                }
                (None, _) => return Ok(Parsed::Incomplete(0)),
            }
        };
        if end > begin {
            if count == most {
                return Err(ProtocolError::Arguments);
            }
            fields[count] = Span::new(begin, end);
            count += 1;
        } else {
            canonical = false;
        }
        if ends {
            break;
        }
    }
    if at > verb + limits.max_control_line + 2 {
        return Err(ProtocolError::ControlLine);
    }
    let body = at + 1;

    let numbers = if with_headers { 2 } else { 1 };
    let reply = match count.checked_sub(numbers) {
        Some(1) => Span::default(),
        Some(2) => fields[1],
        _ => return Err(ProtocolError::Arguments),
    };
    let line = Line {
        subject: fields[0],
        reply,
        tail: fields[1].start(),
        headers: with_headers.then(|| fields[count - 2]),
        total: fields[count - 1],
        body,
        canonical,
        valid,
    };
    finish(input, &line, limits)
}

/// Returns the frame that starts with this line.
#[allow(
    clippy::inline_always,
    reason = "otherwise the result would be written to memory and read again"
)]
#[inline(always)]
fn finish<'a>(input: &'a [u8], line: &Line, limits: &Limits) -> Result<Parsed<'a>, ProtocolError> {
    let number = |field: Span| size(field.of(input)).ok_or(ProtocolError::Arguments);
    let total = number(line.total)?;
    let headers = line.headers.map_or(Ok(0), number)?;
    if headers > total {
        return Err(ProtocolError::Arguments);
    }
    if total > limits.max_payload {
        return Err(ProtocolError::Payload);
    }
    let end = line.body + total;
    let bad_end = |at: usize, expected: u8| input.get(at).is_some_and(|&byte| byte != expected);
    if bad_end(end, b'\r') || bad_end(end + 1, b'\n') {
        return Err(ProtocolError::UnknownOperation);
    }
    if input.len() < end + 2 {
        return Ok(Parsed::Incomplete(end + 2));
    }
    let with_headers = line.headers.is_some();
    let publish = Publish {
        message: Message {
            subject: line.subject,
            reply: line.reply,
            tail: Span::new(line.tail, end + 2),
            body: Span::new(line.body, end),
            headers: Message::length(headers),
        },
        // Without headers, HPUB is passed on as MSG, which has one size only.
        canonical: line.canonical && (!with_headers || headers > 0),
        valid: line.valid,
        with_headers,
    };
    Ok(Parsed::Frame(Frame::Publish(publish), end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_the_first_blank_or_control_byte() {
        for length in 0..20 {
            for byte in 0..=255 {
                let mut bytes = vec![b'!'; length];
                assert_eq!(word_length(&bytes), length);
                bytes.extend([byte, b'!', b' ', 0xff, 0x80, b'!', b'!', b'!', b'!']);
                let expected = bytes.iter().position(|&byte| byte <= b' ' || byte == 0x7f);
                assert_eq!(Some(word_length(&bytes)), expected, "{length} {byte}");
            }
        }
    }

    const LIMITS: Limits = Limits {
        max_control_line: 64,
        max_payload: 64,
    };

    #[test]
    fn both_parsers_agree_on_usual_lines() {
        let subjects = [
            "a",
            "orders.new",
            "a-subject-of-eight-or-more.bytes",
            &"s".repeat(62),
        ];
        let mut usual = 0;
        for subject in subjects {
            for reply in ["", " r", " _INBOX.abcdefgh.1", "  r", " r\t", " r r"] {
                for size in ["0", "2", "11", "64", "65", "x", "", "0000000002", " 2"] {
                    for end in ["\r\n", "\n", " \r\n", "\r", "\r\r\n", ""] {
                        let payload = "p".repeat(size.trim().parse().unwrap_or(0));
                        let line = format!("PUB {subject}{reply} {size}{end}");
                        for text in [format!("{line}{payload}\r\nPING\r\n"), line] {
                            for length in 4..=text.len() {
                                let input = &text.as_bytes()[..length];
                                usual += usize::from(usual_line(input, 3, &LIMITS).is_some());
                                let any = any_publish(input, 3, &LIMITS);
                                let text = input.escape_ascii();
                                assert_eq!(parse(input, &LIMITS), any, "{text}");
                            }
                        }
                    }
                }
            }
        }
        assert!(usual > 1000, "{usual}");
    }

    #[test]
    fn control_bytes_in_subjects_are_seen() {
        for (line, valid) in [
            (&b"PUB a r 1\r\nx\r\n"[..], true),
            (b"PUB a\t1 \nx\r\n", true),
            (b"PUB \x80 \xff 1\r\nx\r\n", true),
            (b"PUB a\x7fb 1\r\nx\r\n", false),
            (b"PUB a\rb 1\r\nx\r\n", false),
            (b"PUB \r 1\r\nx\r\n", false),
            (b"PUB a\0 1\r\nx\r\n", false),
            (b"PUB a r\x1f 1\r\nx\r\n", false),
            (b"pub a \x01 1\r\nx\r\n", false),
        ] {
            let Ok(Parsed::Frame(Frame::Publish(publish), used)) = parse(line, &LIMITS) else {
                panic!("{}", line.escape_ascii());
            };
            assert_eq!((publish.valid, used), (valid, line.len()));
        }
    }
}
