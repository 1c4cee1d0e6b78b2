//! Invariants of the parser, for any input.

use broker_protocol::{Frame, Limits, Parsed, parse};

/// Small, so inputs reach them.
const LIMITS: Limits = Limits {
    max_control_line: 256,
    max_payload: 1024,
};

/// Parses the input up to its end or the first error.
pub fn check(input: &[u8]) {
    let mut rest = input;
    while let Ok(Parsed::Frame(frame, used)) = parse(rest, &LIMITS) {
        assert!(used > 0 && used <= rest.len());
        // Bytes after a frame do not change it.
        let alone = parse(&rest[..used], &LIMITS);
        assert_eq!(alone, Ok(Parsed::Frame(frame.clone(), used)));
        // While its end is missing, a frame is incomplete and not an error.
        for length in (0..used).step_by(used / 16 + 1).chain([used - 1]) {
            match parse(&rest[..length], &LIMITS) {
                Ok(Parsed::Incomplete(needed)) => assert!(needed == 0 || needed == used),
                other => panic!("{length} of {used}: {other:?}"),
            }
        }
        check_frame(&frame, &rest[..used]);
        rest = &rest[used..];
    }
    if let Ok(Parsed::Incomplete(needed)) = parse(rest, &LIMITS) {
        // Incomplete input never exceeds the limits.
        let most = LIMITS.max_control_line + LIMITS.max_payload + 16;
        assert!(rest.len() <= most && needed <= most);
        assert!(needed == 0 || needed > rest.len());
    }
}

fn check_frame(frame: &Frame<'_>, bytes: &[u8]) {
    let Frame::Publish(publish) = frame else {
        return;
    };
    let message = publish.message;
    let body = message.body.of(bytes);
    assert!(body.len() <= LIMITS.max_payload);
    assert!(message.headers as usize <= body.len());
    assert!(!message.subject.is_empty());
    let line = &bytes[..line_length(bytes)];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let control = |&byte: &u8| byte.is_ascii_control() && byte != b'\t';
    let control = line.iter().any(control);
    assert_eq!(publish.valid, !control);

    // The rewritten message is equal and in canonical form.
    for keep_headers in [true, false] {
        let (copy, moved) = message.rewritten(bytes, keep_headers);
        let dropped = if keep_headers {
            0
        } else {
            message.headers as usize
        };
        assert_eq!(moved.body.of(&copy), &body[dropped..]);
        let verb = if moved.headers > 0 { "HPUB " } else { "PUB " };
        let again = [verb.as_bytes(), &copy].concat();
        let Ok(Parsed::Frame(Frame::Publish(again_publish), used)) = parse(&again, &LIMITS) else {
            panic!("{:?}", again.escape_ascii().to_string());
        };
        assert!(again_publish.canonical && used == again.len());
        let again_message = again_publish.message;
        let moved = moved.moved(verb.len());
        assert_eq!(again_message.tail, moved.tail);
        assert_eq!(again_message.headers, moved.headers);
        assert_eq!(again_message.subject.of(&again), message.subject.of(bytes));
        assert_eq!(again_message.reply.of(&again), message.reply.of(bytes));
        if keep_headers && publish.canonical {
            assert_eq!(
                again_message.tail.of(&again).len(),
                canonical_length(&message, bytes)
            );
        }
    }
}

/// Returns the length of a PUB's control line.
fn line_length(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    end.expect("a frame has a line")
}

/// Returns the length of a tail without the leading zeros that a client may send.
fn canonical_length(message: &broker_protocol::Message, bytes: &[u8]) -> usize {
    let tail = message.tail.of(bytes);
    let head = &tail[..message.body.start() - message.tail.start()];
    let numbers = if message.headers > 0 { 2 } else { 1 };
    let words: Vec<_> = head.trim_ascii().split(|&byte| byte == b' ').collect();
    let zeros: usize = words[words.len() - numbers..]
        .iter()
        .map(|word| {
            word.iter()
                .take(word.len() - 1)
                .take_while(|&&b| b == b'0')
                .count()
        })
        .sum();
    tail.len() - zeros
}
