//! What holds for the parser, whatever it is given.

use broker_protocol::{Frame, Limits, Parsed, parse};

/// Small, so that they are reached.
const LIMITS: Limits = Limits {
    max_control_line: 256,
    max_payload: 1024,
};

/// Reads the input to its end, or as far as it makes sense.
pub fn check(input: &[u8]) {
    let mut rest = input;
    while let Ok(Parsed::Frame(frame, used)) = parse(rest, &LIMITS) {
        assert!(used > 0 && used <= rest.len());
        // What follows a frame does not change it.
        let alone = parse(&rest[..used], &LIMITS);
        assert_eq!(alone, Ok(Parsed::Frame(frame.clone(), used)));
        // As long as its end is missing, it is not complete, and not wrong either.
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
        // Nobody has to be kept in mind beyond the limits.
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

    // Written anew it is the same message, in the usual way.
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

/// Where the line of a PUB ends.
fn line_length(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    end.expect("a frame has a line")
}

/// The length of a tail without zeros before its numbers, which a client may send.
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
