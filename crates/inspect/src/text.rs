//! Text from untrusted files.

/// The longest name or path reported, in bytes; longer ones are cut.
pub(crate) const LONGEST: usize = 4096;

/// Returns the bytes from `offset` to the next zero byte, at most [`LONGEST`]; empty beyond the
/// end.
pub(crate) fn at(strings: &[u8], offset: u64) -> &[u8] {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|offset| strings.get(offset..))
        .unwrap_or_default();
    let rest = &rest[..rest.len().min(LONGEST)];
    &rest[..memchr::memchr(0, rest).unwrap_or(rest.len())]
}

/// Converts bytes to text for a terminal: invalid text and control characters are replaced.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_at_zero_and_at_the_end_of_the_table() {
        let table = b"\0one\0two";
        assert_eq!(at(table, 1), b"one");
        assert_eq!(at(table, 5), b"two");
        assert_eq!(at(table, 0), b"");
        assert_eq!(at(table, 8), b"");
        assert_eq!(at(table, u64::MAX), b"");
    }

    #[test]
    fn a_name_without_end_is_cut() {
        assert_eq!(at(&[b'a'; 2 * LONGEST], 1).len(), LONGEST);
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(
            printable(b"a\x1b[31mb\xff\n"),
            "a\u{fffd}[31mb\u{fffd}\u{fffd}"
        );
    }
}
