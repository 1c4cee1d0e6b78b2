//! Numbers, dates, and strings that begin with a digit.

use super::Kind;
use super::scanner::{Scanner, ends_word};
use crate::problem::Problem;

/// Reads a number, a date or a numeric address; returns `None` without advancing if it is a string
/// such as `30s`.
///
/// Errors do not show the text: a word that begins with a digit may be a password without quotes.
pub(super) fn number(scanner: &mut Scanner<'_>) -> Result<Option<Kind>, Problem> {
    let at = scanner.at();
    let rest = scanner.rest();
    let end = rest.find(is_end).unwrap_or(rest.len());
    let kind = match judge(&rest[..end]) {
        Ok(None) => return Ok(None),
        Ok(Some(kind)) => kind,
        Err(why) => return Err(at.problem(why)),
    };
    for _ in rest[..end].chars() {
        scanner.next();
    }
    Ok(Some(kind))
}

/// Returns whether the character ends a word. A comment after a number needs a blank, as after any
/// word.
fn is_end(c: char) -> bool {
    ends_word(c) || c == '\''
}

fn judge(word: &str) -> Result<Option<Kind>, &'static str> {
    let (negative, rest) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, suffix) = rest.split_at(digits);
    if digits.is_empty() {
        return Err("a digit must follow the -; put a string in quotes");
    }
    match suffix.chars().next() {
        None => integer(negative, digits, 1).map(Some),
        Some('-') if negative => Err(NO_NUMBER),
        Some('-') => date(word).map(Some),
        Some('.') => point(word).map(Some),
        Some('k' | 'K' | 'm' | 'M' | 'g' | 'G' | 't' | 'T' | 'p' | 'P' | 'e' | 'E')
            if suffix[1..]
                .chars()
                .all(|c| matches!(c, 'b' | 'B' | 'i' | 'I')) =>
        {
            let unit = unit(suffix).ok_or(
                "an integer's suffix is k, m, g, t, p or e for a power of 1000, \
                 or one of these with b, i or ib for a power of 1024",
            )?;
            integer(negative, digits, unit).map(Some)
        }
        Some(_) if negative => Err(NO_NUMBER),
        Some(_) => Ok(None),
    }
}

const NO_NUMBER: &str = "a value that begins with - must be a number; put a string in quotes";
const OUT_OF_RANGE: &str = "the number is out of range: an integer has 64 bits";

fn integer(negative: bool, digits: &str, unit: i64) -> Result<Kind, &'static str> {
    // The smallest integer has no positive counterpart.
    let number: i128 = digits.parse().map_err(|_| OUT_OF_RANGE)?;
    let number = if negative { -number } else { number };
    let number = number.checked_mul(unit.into()).ok_or(OUT_OF_RANGE)?;
    i64::try_from(number)
        .map(Kind::Integer)
        .map_err(|_| OUT_OF_RANGE)
}

/// Returns the multiplier that a suffix stands for.
fn unit(suffix: &str) -> Option<i64> {
    let suffix = suffix.to_ascii_lowercase();
    let power = "kmgtpe".find(suffix.chars().next()?)? + 1;
    let power = u32::try_from(power).ok()?;
    match &suffix[1..] {
        "" => 1000_i64.checked_pow(power),
        "b" | "i" | "ib" => 1024_i64.checked_pow(power),
        _ => None,
    }
}

/// Parses a number with a decimal point, or an IPv4 address with or without a port.
fn point(word: &str) -> Result<Kind, &'static str> {
    if word.matches('.').count() > 1 {
        return if !word.contains("..")
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || ".:-".contains(c))
        {
            Ok(Kind::Text(word.to_owned()))
        } else {
            Err(
                "digits and points with other characters are neither a number nor an address; \
                 put a string in quotes",
            )
        };
    }
    let is_float = word
        .split_once('.')
        .is_some_and(|(_, rest)| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
    let number: Option<f64> = word.parse().ok().filter(|number: &f64| number.is_finite());
    match number {
        Some(number) if is_float => Ok(Kind::Float(number)),
        _ => Err("only digits follow the point of a number; put a string in quotes"),
    }
}

/// Parses a date in the only accepted form, `2006-01-02T15:04:05Z`.
fn date(word: &str) -> Result<Kind, &'static str> {
    const WRONG: &str = "a value of digits and - must be a date such as \
                         2006-01-02T15:04:05Z; put a string in quotes";
    const FORM: &str = "0000-00-00T00:00:00Z";
    let fits = word.len() == FORM.len()
        && word.chars().zip(FORM.chars()).all(|(c, form)| match form {
            '0' => c.is_ascii_digit(),
            _ => c == form,
        });
    if !fits {
        return Err(WRONG);
    }
    let part = |from: usize, to: usize| word[from..to].parse::<u32>().unwrap_or(u32::MAX);
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return Err(WRONG),
    };
    let is_time = part(11, 13) < 24 && part(14, 16) < 60 && part(17, 19) < 60;
    if (1..=days).contains(&day) && is_time {
        Ok(Kind::Date(word.to_owned()))
    } else {
        Err(WRONG)
    }
}
