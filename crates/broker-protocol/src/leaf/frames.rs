//! The frames between a leaf node and its hub: the parser for the hub's, and the writer of this
//! side's.

use crate::parser::{has_verb, is_blank, line, size};
use crate::{Limits, Message, ProtocolError, Span};

/// The largest INFO of a hub in bytes, which includes its list of about two thousand addresses.
const MAX_INFO: usize = 48 * 1024;

/// One command of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeafFrame<'a> {
    /// INFO with its JSON.
    Info(&'a [u8]),
    /// -ERR with its text, without quotes.
    Error(&'a [u8]),
    /// LS+: the hub subscribes to a subject.
    Wanted {
        /// The subject; not yet checked.
        subject: &'a [u8],
        /// The queue group; a plain subscription if there is none.
        queue: Option<&'a [u8]>,
    },
    /// LS-: the hub unsubscribes from a subject.
    Unwanted {
        /// The subject.
        subject: &'a [u8],
        /// The queue group.
        queue: Option<&'a [u8]>,
    },
    /// LMSG or HMSG.
    Message(LeafMessage),
    /// PING.
    Ping,
    /// PONG.
    Pong,
    /// +OK.
    Ignored,
}

/// The parts of an LMSG or HMSG, as positions in the parser's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafMessage {
    /// The parts. The tail is contiguous if the message is canonical.
    pub message: Message,
    /// The queue groups that get the message, separated by blanks; empty if no queue group gets it.
    pub groups: Span,
    /// Whether the part after the subject can be passed on unchanged, see [`Message`].
    pub canonical: bool,
    /// Whether the line has no control bytes.
    pub valid: bool,
}

impl LeafMessage {
    /// Returns the names of the queue groups that get the message.
    pub fn groups(self, buffer: &[u8]) -> impl Iterator<Item = &[u8]> {
        words(self.groups.of(buffer))
    }

    /// Returns the subject and reply for subscribers, if they differ from those of the message.
    /// Both are parts of the message's reply.
    ///
    /// JetStream delivers to an inbox: a reply that begins with `$JS.ACK.` has the stream's subject
    /// after its last `@`, and the reply for the acknowledgement before it.
    #[must_use]
    pub fn shown(self, buffer: &[u8]) -> Option<Shown> {
        let reply = self.message.reply.of(buffer);
        if !reply.starts_with(b"$JS.ACK.") {
            return None;
        }
        let at = reply.iter().rposition(|&byte| byte == b'@')?;
        let start = self.message.reply.start();
        (at + 1 < reply.len()).then(|| Shown {
            subject: Span::new(start + at + 1, start + reply.len()),
            reply: Span::new(start, start + at),
        })
    }
}

/// The subject and reply for subscribers, if they differ from those of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The subject.
    pub subject: Span,
    /// The reply.
    pub reply: Span,
}

/// The result of [`parse_leaf`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedLeaf<'a> {
    /// A frame and its length in bytes.
    Frame(LeafFrame<'a>, usize),
    /// The frame is not complete. Contains the frame's length if it is known, else 0.
    Incomplete(usize),
}

/// Reads the frame at the start of a hub's input. `limits` apply to all frames except INFO.
///
/// # Errors
///
/// The hub's error; the parser cannot continue after it.
pub fn parse_leaf<'a>(input: &'a [u8], limits: &Limits) -> Result<ParsedLeaf<'a>, ProtocolError> {
    let lower = |at: usize| input.get(at).map(u8::to_ascii_lowercase);
    let arguments = |verb, limits| arguments(input, verb, limits);
    match (lower(0), lower(1), lower(2)) {
        (Some(b'l'), Some(b'm'), _) => message(input, b"lmsg", 1, limits),
        (Some(b'h'), _, _) => message(input, b"hmsg", 2, limits),
        (Some(b'l'), Some(b's'), Some(b'+')) => frame(arguments(b"ls+", limits)?, wanted),
        (Some(b'l'), Some(b's'), Some(b'-')) => frame(arguments(b"ls-", limits)?, unwanted),
        (Some(b'p'), Some(b'i'), _) => {
            frame(arguments(b"ping", limits)?, |_| Some(LeafFrame::Ping))
        }
        (Some(b'p'), Some(b'o'), _) => {
            frame(arguments(b"pong", limits)?, |_| Some(LeafFrame::Pong))
        }
        (Some(b'i'), _, _) => {
            let limits = Limits {
                max_control_line: MAX_INFO,
                ..*limits
            };
            frame(arguments(b"info", &limits)?, |json| {
                Some(LeafFrame::Info(json))
            })
        }
        (Some(b'+'), _, _) => frame(arguments(b"+ok", limits)?, |_| Some(LeafFrame::Ignored)),
        (Some(b'-'), _, _) => frame(arguments(b"-err", limits)?, |text| {
            Some(LeafFrame::Error(unquoted(text)))
        }),
        (None, _, _) | (Some(b'p' | b'l'), None, _) | (Some(b'l'), Some(b's'), None) => {
            Ok(ParsedLeaf::Incomplete(0))
        }
        _ => Err(ProtocolError::UnknownOperation),
    }
}

/// Returns the text of -ERR without its quotes.
fn unquoted(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    let inner = text
        .strip_prefix(b"'")
        .and_then(|text| text.strip_suffix(b"'"));
    inner.unwrap_or(text)
}

/// Returns the rest of the line after the verb, and the position of the next line.
fn arguments<'a>(
    input: &'a [u8],
    verb: &[u8],
    limits: &Limits,
) -> Result<Option<(&'a [u8], usize)>, ProtocolError> {
    if !has_verb(input, verb)? {
        return Ok(None);
    }
    match input.get(verb.len()) {
        Some(&byte) if is_blank(byte) || byte == b'\r' || byte == b'\n' => {
            line(input, verb.len(), limits)
        }
        Some(_) => Err(ProtocolError::UnknownOperation),
        None => Ok(None),
    }
}

fn frame<'a>(
    line: Option<(&'a [u8], usize)>,
    read: impl FnOnce(&'a [u8]) -> Option<LeafFrame<'a>>,
) -> Result<ParsedLeaf<'a>, ProtocolError> {
    let Some((arguments, next)) = line else {
        return Ok(ParsedLeaf::Incomplete(0));
    };
    let frame = read(arguments).ok_or(ProtocolError::Arguments)?;
    Ok(ParsedLeaf::Frame(frame, next))
}

fn words(arguments: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = arguments.split(|&byte| is_blank(byte));
    words.filter(|word| !word.is_empty())
}

/// Reads `LS+ subject` or `LS+ subject queue weight`. The number of members on the hub's side does
/// not matter: this server prefers its own members, and the hub chooses among the others.
fn wanted(arguments: &[u8]) -> Option<LeafFrame<'_>> {
    let mut words = words(arguments);
    let (subject, queue) = (words.next()?, words.next());
    if queue.is_some() {
        words.next()?;
    }
    let frame = LeafFrame::Wanted { subject, queue };
    words.next().is_none().then_some(frame)
}

/// Reads `LS- subject` or `LS- subject queue`.
fn unwanted(arguments: &[u8]) -> Option<LeafFrame<'_>> {
    let mut words = words(arguments);
    let (subject, queue) = (words.next()?, words.next());
    let frame = LeafFrame::Unwanted { subject, queue };
    words.next().is_none().then_some(frame)
}

/// The words of an LMSG or HMSG line that the parser needs.
#[derive(Default)]
struct Words {
    /// The first four words.
    first: [Span; 4],
    /// The last three words, last one first.
    last: [Span; 3],
    count: usize,
    canonical: bool,
    valid: bool,
}

impl Words {
    /// Splits `input` from `start` to `end`.
    fn of(input: &[u8], start: usize, end: usize) -> Self {
        let mut all = Self {
            canonical: true,
            valid: true,
            ..Self::default()
        };
        let mut at = start;
        while at < end {
            let gap = at;
            while at < end && is_blank(input[at]) {
                at += 1;
            }
            let begin = at;
            while at < end && !is_blank(input[at]) {
                all.valid &= !input[at].is_ascii_control();
                at += 1;
            }
            if at == begin {
                // Blanks at the end of the line.
                all.canonical = false;
                break;
            }
            all.canonical &= begin == gap + 1 && input[gap] == b' ';
            let word = Span::new(begin, at);
            if let Some(place) = all.first.get_mut(all.count) {
                *place = word;
            }
            all.last = [word, all.last[0], all.last[1]];
            all.count += 1;
        }
        all
    }
}

/// Reads LMSG, which ends with one number, or HMSG, which ends with two:
///
/// ```text
/// LMSG subject [reply] size
/// LMSG subject + reply group… size
/// LMSG subject | group… size
/// ```
fn message<'a>(
    input: &'a [u8],
    verb: &[u8],
    sizes: usize,
    limits: &Limits,
) -> Result<ParsedLeaf<'a>, ProtocolError> {
    let Some((_, body)) = arguments(input, verb, limits)? else {
        return Ok(ParsedLeaf::Incomplete(0));
    };
    let text = &input[..body - 1];
    let end = text.strip_suffix(b"\r").map_or(text.len(), <[u8]>::len);
    let words = Words::of(input, verb.len(), end);
    let number = |span: Span| size(span.of(input)).ok_or(ProtocolError::Arguments);
    let [subject, second, third, fourth] = words.first;

    // The number of words without the numbers, and the end of the last of them.
    let named = words
        .count
        .checked_sub(sizes)
        .ok_or(ProtocolError::Arguments)?;
    let before_sizes = words.last[sizes];
    let (reply, groups, tail) = match (named, second.of(input)) {
        (1, _) => (Span::default(), Span::default(), second.start()),
        (2, _) => (second, Span::default(), second.start()),
        (4.., b"+") => {
            let groups = Span::new(fourth.start(), before_sizes.end());
            (third, groups, third.start())
        }
        (3.., b"|") => {
            let groups = Span::new(third.start(), before_sizes.end());
            (Span::default(), groups, words.last[sizes - 1].start())
        }
        _ => return Err(ProtocolError::Arguments),
    };
    let total = number(words.last[0])?;
    let headers = if sizes == 2 {
        number(words.last[1])?
    } else {
        0
    };
    if headers > total {
        return Err(ProtocolError::Arguments);
    }
    if total > limits.max_payload {
        return Err(ProtocolError::Payload);
    }
    let (payload, used) = (body + total, body + total + 2);
    let Some(end_of_payload) = input.get(payload..used) else {
        return Ok(ParsedLeaf::Incomplete(used));
    };
    if end_of_payload != b"\r\n" {
        return Err(ProtocolError::UnknownOperation);
    }
    let message = LeafMessage {
        message: Message {
            subject,
            reply,
            tail: Span::new(tail, used),
            body: Span::new(body, payload),
            headers: Message::length(headers),
        },
        groups,
        // Without headers, the message is passed on as MSG, which has one number.
        canonical: words.canonical
            && end + 2 == body
            && groups.is_empty()
            && (sizes == 1 || headers > 0),
        valid: words.valid,
    };
    Ok(ParsedLeaf::Frame(LeafFrame::Message(message), used))
}

/// Appends LS+ or LS-. `count` is the number of subscriptions to the subject on this side, of the
/// members of `queue` or of plain subscriptions.
pub fn push_interest(line: &mut Vec<u8>, subject: &[u8], queue: Option<&[u8]>, count: usize) {
    line.extend_from_slice(if count > 0 { b"LS+ " } else { b"LS- " });
    line.extend_from_slice(subject);
    if let Some(queue) = queue {
        line.push(b' ');
        line.extend_from_slice(queue);
        if count > 0 {
            line.push(b' ');
            line.extend_from_slice(count.to_string().as_bytes());
        }
    }
    line.extend_from_slice(b"\r\n");
}

/// Appends LMSG or HMSG up to the payload. `groups` are the queue groups on the other side that get
/// the message, separated by blanks.
pub fn push_head(line: &mut Vec<u8>, buffer: &[u8], message: &Message, groups: &[u8]) {
    line.extend_from_slice(if message.headers > 0 {
        b"HMSG "
    } else {
        b"LMSG "
    });
    let word = |line: &mut Vec<u8>, word: &[u8]| {
        line.extend_from_slice(word);
        line.push(b' ');
    };
    word(line, message.subject.of(buffer));
    let reply = message.reply.of(buffer);
    match (reply.is_empty(), groups.is_empty()) {
        (true, true) => {}
        (false, true) => word(line, reply),
        (true, false) => {
            word(line, b"|");
            word(line, groups);
        }
        (false, false) => {
            word(line, b"+");
            word(line, reply);
            word(line, groups);
        }
    }
    if message.headers > 0 {
        word(line, message.headers.to_string().as_bytes());
    }
    line.extend_from_slice(message.body.len().to_string().as_bytes());
    line.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        max_control_line: 256,
        max_payload: 1024,
    };

    fn parsed(input: &[u8]) -> LeafFrame<'_> {
        let Ok(ParsedLeaf::Frame(frame, used)) = parse_leaf(input, &LIMITS) else {
            panic!("{}: {:?}", input.escape_ascii(), parse_leaf(input, &LIMITS));
        };
        assert_eq!(used, input.len());
        // A frame without its end is incomplete, and not an error.
        for length in 0..used {
            let part = parse_leaf(&input[..length], &LIMITS);
            let incomplete =
                matches!(part, Ok(ParsedLeaf::Incomplete(needed)) if needed == 0 || needed == used);
            assert!(incomplete, "{}: {part:?}", input[..length].escape_ascii());
        }
        frame
    }

    #[test]
    fn interest_comes_with_and_without_queues() {
        let (subject, queue) = (&b"a.>"[..], Some(&b"q"[..]));
        for (line, frame) in [
            (
                &b"LS+ a.>\r\n"[..],
                LeafFrame::Wanted {
                    subject,
                    queue: None,
                },
            ),
            (b"LS+ a.> q 3\r\n", LeafFrame::Wanted { subject, queue }),
            (b"ls+\t a.>  q\t0 \n", LeafFrame::Wanted { subject, queue }),
            (
                b"LS- a.>\r\n",
                LeafFrame::Unwanted {
                    subject,
                    queue: None,
                },
            ),
            (b"LS- a.> q\r\n", LeafFrame::Unwanted { subject, queue }),
        ] {
            assert_eq!(parsed(line), frame, "{}", line.escape_ascii());
        }
        for line in [
            &b"LS+\r\n"[..],
            b"LS+ a q\r\n",
            b"LS+ a q 1 2\r\n",
            b"LS- \r\n",
            b"LS- a q 1\r\n",
        ] {
            let refused = parse_leaf(line, &LIMITS);
            assert_eq!(
                refused,
                Err(ProtocolError::Arguments),
                "{}",
                line.escape_ascii()
            );
        }
    }

    #[test]
    fn messages_come_in_eight_forms() {
        for (head, reply, groups, headers, canonical) in [
            (&b"LMSG a.b 5"[..], "", "", 0, true),
            (b"LMSG a.b r 5", "r", "", 0, true),
            (b"LMSG a.b + r q 5", "r", "q", 0, false),
            (b"LMSG a.b + r q p o 5", "r", "q p o", 0, false),
            (b"LMSG a.b | q 5", "", "q", 0, false),
            (b"LMSG a.b | q p o n 5", "", "q p o n", 0, false),
            (b"HMSG a.b 2 5", "", "", 2, true),
            (b"HMSG a.b r 2 5", "r", "", 2, true),
            (b"HMSG a.b + r q 2 5", "r", "q", 2, false),
            (b"HMSG a.b | q p 2 5", "", "q p", 2, false),
            // A reply may have this name.
            (b"LMSG a.b + 5", "+", "", 0, true),
            (b"lmsg\ta.b  r 5 ", "r", "", 0, false),
            (b"HMSG a.b 0 5", "", "", 0, false),
        ] {
            let bytes = [head, b"\r\nhello\r\n"].concat();
            let LeafFrame::Message(found) = parsed(&bytes) else {
                panic!("{}", head.escape_ascii());
            };
            let message = found.message;
            assert_eq!(message.subject.of(&bytes), b"a.b");
            assert_eq!(message.reply.of(&bytes), reply.as_bytes());
            assert_eq!(found.groups.of(&bytes), groups.as_bytes());
            assert_eq!(message.body.of(&bytes), b"hello");
            assert_eq!(message.headers, headers);
            assert_eq!(found.canonical, canonical, "{}", head.escape_ascii());
            assert!(found.valid);
            if canonical {
                let tail = [reply.as_bytes(), b" "].concat();
                let tail = if reply.is_empty() { &[][..] } else { &tail };
                assert!(message.tail.of(&bytes).starts_with(tail));
                assert!(message.tail.of(&bytes).ends_with(b"5\r\nhello\r\n"));
            }
            // Written again, it is the same message.
            let mut line = Vec::new();
            push_head(&mut line, &bytes, &message, groups.as_bytes());
            line.extend_from_slice(b"hello\r\n");
            let LeafFrame::Message(again) = parsed(&line) else {
                panic!("{}", line.escape_ascii());
            };
            assert_eq!(again.message.reply.of(&line), reply.as_bytes());
            assert_eq!(again.groups.of(&line), groups.as_bytes());
            assert_eq!(again.message.body.of(&line), b"hello");
            assert_eq!(again.message.headers, headers);
        }
    }

    #[test]
    fn bad_messages_are_refused() {
        for (head, error) in [
            (&b"LMSG a"[..], ProtocolError::Arguments),
            (b"LMSG 5", ProtocolError::Arguments),
            (b"LMSG a r x", ProtocolError::Arguments),
            (b"LMSG a b c 5", ProtocolError::Arguments),
            (b"LMSG a b c d 5", ProtocolError::Arguments),
            (b"LMSG a + r 5", ProtocolError::Arguments),
            (b"HMSG a 5", ProtocolError::Arguments),
            (b"HMSG a 6 5", ProtocolError::Arguments),
            (b"HMSG a + r 1 5", ProtocolError::Arguments),
            (b"LMSG a 1025", ProtocolError::Payload),
            (b"LMSG a 4", ProtocolError::UnknownOperation),
            (b"LMSGS a 5", ProtocolError::UnknownOperation),
            (b"PUB a 5", ProtocolError::UnknownOperation),
            (b"HTTP/1.1 400 Bad Request", ProtocolError::UnknownOperation),
        ] {
            let bytes = [head, b"\r\nhello\r\n"].concat();
            let refused = parse_leaf(&bytes, &LIMITS);
            assert_eq!(refused, Err(error), "{}", head.escape_ascii());
        }
        let long = [b"LS+ ", "x".repeat(300).as_bytes()].concat();
        let refused = parse_leaf(&long, &LIMITS);
        assert_eq!(refused, Err(ProtocolError::ControlLine));
    }

    #[test]
    fn other_lines_are_read() {
        assert_eq!(parsed(b"PING\r\n"), LeafFrame::Ping);
        assert_eq!(parsed(b"pong \n"), LeafFrame::Pong);
        assert_eq!(parsed(b"+OK\r\n"), LeafFrame::Ignored);
        let loops = &b"Loop detected for leafnode account=\"$G\""[..];
        let line = [b"-ERR '", loops, b"'\r\n"].concat();
        assert_eq!(parsed(&line), LeafFrame::Error(loops));
        // Longer than other lines may be.
        let json = format!("{{\"server_id\":\"{}\"}}", "A".repeat(1000));
        let line = format!("INFO {json}\r\n");
        let LeafFrame::Info(found) = parsed(line.as_bytes()) else {
            panic!("no INFO");
        };
        assert_eq!(found, json.as_bytes());
    }

    #[test]
    fn interest_is_written_as_hubs_read_it() {
        let mut lines = Vec::new();
        push_interest(&mut lines, b"a", None, 3);
        push_interest(&mut lines, b"a", Some(b"q"), 3);
        push_interest(&mut lines, b"a", Some(b"q"), 0);
        push_interest(&mut lines, b"a", None, 0);
        assert_eq!(lines, b"LS+ a\r\nLS+ a q 3\r\nLS- a q\r\nLS- a\r\n");
    }

    #[test]
    fn the_subject_of_a_stream_is_behind_an_at_sign() {
        for (reply, shown) in [
            (
                "$JS.ACK.s.c.1.2.3.4.5@orders.new",
                Some(("orders.new", "$JS.ACK.s.c.1.2.3.4.5")),
            ),
            ("$JS.ACK.a@b@c", Some(("c", "$JS.ACK.a@b"))),
            ("$JS.ACK.a@", None),
            ("$JS.ACK.a", None),
            ("_INBOX.a@b", None),
        ] {
            let bytes = format!("LMSG _INBOX.x {reply} 0\r\n\r\n");
            let bytes = bytes.as_bytes();
            let LeafFrame::Message(message) = parsed(bytes) else {
                panic!("{reply}");
            };
            let found = message
                .shown(bytes)
                .map(|shown| (shown.subject.of(bytes), shown.reply.of(bytes)));
            assert_eq!(
                found,
                shown.map(|(subject, reply)| (subject.as_bytes(), reply.as_bytes())),
                "{reply}"
            );
        }
    }
}
