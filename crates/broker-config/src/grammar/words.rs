//! Scalar values: the four forms of strings, and the meaning of strings without quotes.

use super::numbers;
use super::scanner::{Scanner, ends_word};
use super::{Kind, Position};
use crate::problem::Problem;

/// A value or a reference to one.
pub(super) enum Word {
    /// The value.
    Value(Kind),
    /// The name of a variable.
    Variable(String),
}

/// Reads a scalar: anything but a list or a map.
pub(super) fn word(scanner: &mut Scanner<'_>) -> Result<Word, Problem> {
    let at = scanner.at();
    let kind = match scanner.peek() {
        Some('\'') => {
            scanner.next();
            Kind::Text(quoted(scanner, &at)?)
        }
        Some('"') => {
            scanner.next();
            let (bytes, _) = escaped(scanner, |c| c == '"')?;
            if !scanner.take('"') {
                return Err(at.problem("the \" is not closed"));
            }
            Kind::Text(utf8(bytes, &at)?)
        }
        Some('(') => {
            scanner.next();
            Kind::Text(block(scanner, &at)?)
        }
        Some('.') => {
            return Err(
                at.problem("a number must begin with a digit, not a point; put a string in quotes")
            );
        }
        Some(c) if c == '-' || c.is_ascii_digit() => match numbers::number(scanner)? {
            Some(kind) => kind,
            None => return bare(scanner, &at),
        },
        _ => return bare(scanner, &at),
    };
    Ok(Word::Value(kind))
}

/// Reads a string up to the next `'`, without escapes.
pub(super) fn quoted(scanner: &mut Scanner<'_>, at: &Position) -> Result<String, Problem> {
    let text = scanner.take_while(|c| c != '\'');
    if !scanner.take('\'') {
        return Err(at.problem("the ' is not closed"));
    }
    Ok(text.to_owned())
}

/// Reads a string without quotes.
fn bare(scanner: &mut Scanner<'_>, at: &Position) -> Result<Word, Problem> {
    let (bytes, has_escapes) = escaped(scanner, |c| ends_word(c) || c == '\'')?;
    let text = utf8(bytes, at)?;
    // A ' at the end is consumed, and makes the value a string whatever it looks like.
    let is_text = scanner.take('\'') || has_escapes;
    if text.is_empty() && !is_text {
        return Err(at.problem("a value is missing; an empty string is \"\""));
    }
    if is_text {
        return Ok(Word::Value(Kind::Text(text)));
    }
    if let Some(name) = text.strip_prefix('$') {
        return Ok(Word::Variable(name.to_owned()));
    }
    let kind = match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" => Kind::Boolean(true),
        "false" | "off" | "no" => Kind::Boolean(false),
        _ => Kind::Text(text),
    };
    Ok(Word::Value(kind))
}

/// Reads up to a character that ends the string. Returns the text, and whether it has escapes.
fn escaped(
    scanner: &mut Scanner<'_>,
    ends: impl Fn(char) -> bool,
) -> Result<(Vec<u8>, bool), Problem> {
    let mut bytes = Vec::new();
    let mut has_escapes = false;
    loop {
        let plain = scanner.take_while(|c| c != '\\' && !ends(c));
        bytes.extend_from_slice(plain.as_bytes());
        let at = scanner.at();
        if !scanner.take('\\') {
            return Ok((bytes, has_escapes));
        }
        has_escapes = true;
        bytes.push(match scanner.next() {
            Some('t') => b'\t',
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('"') => b'"',
            Some('\\') => b'\\',
            Some('x') => {
                let mut digit = || scanner.next()?.to_digit(16);
                let byte = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                let byte = byte.and_then(|byte| u8::try_from(byte).ok());
                byte.ok_or_else(|| at.problem("two hexadecimal digits must follow \\x"))?
            }
            _ => {
                return Err(at.problem(
                    "only \\xHH, \\t, \\n, \\r, \\\" and \\\\ are escapes; a \\ is written \\\\, \
                     or put the string in '",
                ));
            }
        });
    }
}

/// Reads a string up to a `)` alone on its line.
fn block(scanner: &mut Scanner<'_>, at: &Position) -> Result<String, Problem> {
    let mut text = String::new();
    loop {
        text.push_str(scanner.take_while(|c| c != ')'));
        if !scanner.take(')') {
            return Err(at.problem("the ( is not closed by a ) alone on its line"));
        }
        let rest = scanner.rest();
        let ends_line = rest.is_empty() || rest.starts_with('\n') || rest.starts_with("\r\n");
        if text.ends_with('\n') && ends_line {
            return Ok(text);
        }
        text.push(')');
    }
}

fn utf8(bytes: Vec<u8>, at: &Position) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|_| at.problem("the bytes given by \\x are not UTF-8"))
}
