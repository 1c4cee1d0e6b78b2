//! Reads `cases.txt`, which describes its format.

/// Stands for the end of the connection at the end of an answer.
pub(crate) const CLOSED: &[u8] = b"closed\r\n";

/// A part of a client's input, or of its answer.
pub(crate) struct Part {
    pub(crate) client: char,
    pub(crate) bytes: Vec<u8>,
}

impl Part {
    /// Returns the number of PONGs that it causes.
    pub(crate) fn pings(&self) -> usize {
        let lines = self.bytes.split(|&byte| byte == b'\n');
        let verbs = lines.filter_map(|line| line.get(..4));
        verbs
            .filter(|verb| verb.eq_ignore_ascii_case(b"PING"))
            .count()
    }
}

pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) text: &'static str,
    /// How the server was started.
    pub(crate) server: &'static str,
    /// The first line that each client sends.
    pub(crate) connect: &'static str,
    pub(crate) sent: Vec<Part>,
    pub(crate) answer: Vec<Part>,
    /// Broker's answer if it differs.
    pub(crate) broker: Option<Vec<Part>>,
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let (mut server, mut connect) = ("", "");
    let mut reasons = 0;
    for (index, text) in include_str!("cases.txt").lines().enumerate() {
        let line = index + 1;
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if text.starts_with("== ") {
            (server, connect) = ("", "");
        } else if let Some(words) = text.strip_prefix("server ") {
            server = words;
        } else if let Some(words) = text.strip_prefix("connect CONNECT ") {
            connect = &text[text.len() - words.len() - "CONNECT ".len()..];
        } else if let Some(answer) = text.strip_prefix("broker =>") {
            let row = rows.last_mut().expect("a row comes before");
            row.broker = Some(parts(answer.trim_start()));
        } else if text.starts_with("because ") {
            reasons += 1;
        } else {
            let (sent, answer) = text
                .split_once(" =>")
                .unwrap_or_else(|| panic!("cases.txt:{line} is not a row"));
            rows.push(Row {
                line,
                text,
                server,
                connect,
                sent: parts(sent),
                answer: parts(answer.trim_start()),
                broker: None,
            });
        }
    }
    let others = rows.iter().filter(|row| row.broker.is_some()).count();
    assert_eq!(others, reasons, "each other answer of Broker has a reason");
    rows
}

/// Returns the parts of one side of a row. The author of an answer merges the parts of the same
/// client.
fn parts(text: &str) -> Vec<Part> {
    if text.is_empty() {
        return Vec::new();
    }
    let part = |text: &str| {
        let (client, lines) = match text.split_once(": ") {
            Some((name, lines)) if name.len() == 1 => (name.chars().next(), lines),
            _ => (None, text),
        };
        Part {
            client: client.unwrap_or('A'),
            bytes: lines.split(" / ").flat_map(bytes_of_line).collect(),
        }
    };
    text.split(" ; ").map(part).collect()
}

fn bytes_of_line(line: &str) -> Vec<u8> {
    let line = if line == "~" { "" } else { line };
    let mut bytes = unescaped(&repeated(line));
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Expands what is in braces with a number.
fn repeated(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let end = after.find(['{', '}']).unwrap_or(after.len());
        let (inner, next) = after.split_at(end);
        let repeat = inner
            .rsplit_once('*')
            .and_then(|(what, times)| Some((what, times.parse().ok()?)));
        if let (Some((what, times)), Some(next)) = (repeat, next.strip_prefix('}')) {
            text.push_str(&what.repeat(times));
            rest = next;
        } else {
            text.push('{');
            rest = after;
        }
    }
    text + rest
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
            }
            _ => panic!("{text}: no such escape"),
        });
    }
    bytes
}

/// Returns whether the answer is the expected one, in which `...` matches any text.
pub(crate) fn matches(expected: &[u8], answer: &[u8]) -> bool {
    const ANY: &[u8] = b"...";
    let Some(dots) = expected.windows(ANY.len()).position(|three| three == ANY) else {
        return expected == answer;
    };
    let Some(rest) = answer.strip_prefix(&expected[..dots]) else {
        return false;
    };
    let expected = &expected[dots + ANY.len()..];
    (0..=rest.len()).any(|at| matches(expected, &rest[at..]))
}
