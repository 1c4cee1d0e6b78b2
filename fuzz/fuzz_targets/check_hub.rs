//! Invariants of the parser for hub output, for any input.

use broker_protocol::{LeafFrame, Limits, ParsedLeaf, parse_leaf, push_head};

/// Small, so inputs reach them.
const LIMITS: Limits = Limits {
    max_control_line: 256,
    max_payload: 1024,
};

/// Parses the input up to its end or the first error.
pub fn check(input: &[u8]) {
    let mut rest = input;
    while let Ok(ParsedLeaf::Frame(frame, used)) = parse_leaf(rest, &LIMITS) {
        assert!(used > 0 && used <= rest.len());
        // Bytes after a frame do not change it.
        let alone = parse_leaf(&rest[..used], &LIMITS);
        assert_eq!(alone, Ok(ParsedLeaf::Frame(frame.clone(), used)));
        // While its end is missing, a frame is incomplete and not an error.
        for length in (0..used).step_by(used / 16 + 1).chain([used - 1]) {
            match parse_leaf(&rest[..length], &LIMITS) {
                Ok(ParsedLeaf::Incomplete(needed)) => assert!(needed == 0 || needed == used),
                other => panic!("{length} of {used}: {other:?}"),
            }
        }
        check_frame(&frame, &rest[..used]);
        rest = &rest[used..];
    }
}

fn check_frame(frame: &LeafFrame<'_>, bytes: &[u8]) {
    let LeafFrame::Message(found) = frame else {
        return;
    };
    let message = found.message;
    let body = message.body.of(bytes);
    assert!(body.len() <= LIMITS.max_payload);
    assert!(message.headers as usize <= body.len());
    assert!(!message.subject.is_empty());
    if let Some(shown) = found.shown(bytes) {
        assert!(!shown.subject.is_empty() && !shown.reply.is_empty());
    }

    // Serialized again, it is the same message.
    let groups: Vec<_> = found.groups(bytes).collect();
    let mut line = Vec::new();
    push_head(&mut line, bytes, &message, &groups.join(&b' '));
    line.extend_from_slice(body);
    line.extend_from_slice(b"\r\n");
    let Ok(ParsedLeaf::Frame(LeafFrame::Message(again), used)) = parse_leaf(&line, &LIMITS) else {
        // Leading zeros and extra blanks are dropped, so the line does not get longer.
        panic!("{:?}", line.escape_ascii().to_string());
    };
    assert_eq!(used, line.len());
    assert_eq!(again.message.subject.of(&line), message.subject.of(bytes));
    assert_eq!(again.message.reply.of(&line), message.reply.of(bytes));
    assert_eq!(again.message.headers, message.headers);
    assert_eq!(again.message.body.of(&line), body);
    assert!(again.groups(&line).eq(groups));

    // Clients receive the same body.
    let (copy, moved) = message.rewritten(bytes, true);
    assert_eq!(moved.body.of(&copy), body);
}
