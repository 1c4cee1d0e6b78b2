//! Files, maps and lists.

use std::path::{Path, PathBuf};

use super::scanner::{Scanner, ends_word, is_line_end};
use super::words::{self, Word};
use super::{Entry, FILE_COST, Kind, MAX_COST, MAX_DEPTH, Map, VALUE_COST, Value};
use crate::problem::{Position, Problem};
use crate::sources::{MAX_FILE, Sources};

/// Parses a file and its includes.
pub(crate) fn parse(path: &Path, sources: &Sources<'_>) -> Result<Map, Problem> {
    let mut parser = Parser {
        sources,
        cost: 0,
        depth: 0,
        files: Vec::new(),
        variables: Vec::new(),
        scopes: Vec::new(),
    };
    let whole = Position::whole(&path.display().to_string());
    parser.file(path, |text| whole.problem(text))
}

/// Parses a configuration into a tree.
pub(super) struct Parser<'a> {
    pub(super) sources: &'a Sources<'a>,
    /// The cost of the tree so far.
    pub(super) cost: usize,
    /// The number of open maps and lists.
    pub(super) depth: usize,
    /// The files being read: each is included by the one before it.
    pub(super) files: Vec<PathBuf>,
    /// The environment variables being read: each is referred to by the one before it.
    pub(super) variables: Vec<String>,
    /// The open maps of this file, outermost first.
    pub(super) scopes: Vec<Map>,
}

/// What surrounds a list of keys.
enum Body {
    /// A file.
    File,
    /// Braces around a part of a file, as in JSON: the keys belong to the file.
    Block(Position),
    Map(Position),
}

impl Parser<'_> {
    /// Reads a file; `problem` adds the position of the include.
    pub(super) fn file(
        &mut self,
        path: &Path,
        problem: impl Fn(String) -> Problem,
    ) -> Result<Map, Problem> {
        let shown = path.display().to_string();
        let bytes = (self.sources.read)(path)
            .map_err(|error| problem(format!("cannot read {shown:?}: {error}")))?;
        let whole = Position::whole(&shown);
        if bytes.len() > MAX_FILE {
            let most = MAX_FILE >> 20;
            return Err(whole.problem(format!("the file has more than {most} MiB")));
        }
        self.charge(FILE_COST + bytes.len(), &whole)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = before.matches('\n').count() + 1;
            whole.problem(format!("line {line} is not UTF-8"))
        })?;
        if text.contains('\0') {
            return Err(whole.problem("the file contains a NUL character, so it is not text"));
        }
        let outer = std::mem::replace(&mut self.scopes, vec![Map::default()]);
        self.files.push(path.to_owned());
        let mut scanner = Scanner::new(shown.into(), text);
        self.body(&mut scanner, &Body::File)?;
        self.files.pop();
        let mut scopes = std::mem::replace(&mut self.scopes, outer);
        Ok(scopes.pop().unwrap_or_default())
    }

    /// Adds to the cost of the tree, and fails above the limit.
    pub(super) fn charge(&mut self, cost: usize, at: &Position) -> Result<(), Problem> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > MAX_COST {
            return Err(too_much(at));
        }
        Ok(())
    }

    /// Reads something inside a map or list.
    fn nested<T>(
        &mut self,
        at: &Position,
        read: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.depth == MAX_DEPTH {
            return Err(too_deep(at));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads keys and values into the innermost map, up to the end of the body.
    fn body(&mut self, scanner: &mut Scanner<'_>, body: &Body) -> Result<(), Problem> {
        loop {
            scanner.skip_space();
            let at = scanner.at();
            match (scanner.peek(), body) {
                (None, Body::File) => return Ok(()),
                (None, Body::Block(open) | Body::Map(open)) => {
                    return Err(open.problem("the { is not closed"));
                }
                (Some('}'), Body::Block(_) | Body::Map(_)) => {
                    scanner.next();
                    return Ok(());
                }
                // nats-server accepts a `}` at the end as well.
                (Some('}'), Body::File) => {
                    scanner.next();
                    scanner.skip_space();
                    if scanner.peek().is_some() {
                        return Err(at.problem("this } has no matching {"));
                    }
                }
                (Some('{'), Body::File | Body::Block(_)) => {
                    scanner.next();
                    let block = Body::Block(at.clone());
                    self.nested(&at, |parser| parser.body(scanner, &block))?;
                    if matches!(body, Body::Block(_)) {
                        end_of_value(scanner, body)?;
                    }
                }
                (Some(_), _) => {
                    self.item(scanner)?;
                    end_of_value(scanner, body)?;
                }
            }
        }
    }

    /// Reads a key and its value, or an include.
    fn item(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Problem> {
        let at = scanner.at();
        let (key, is_quoted) = key(scanner)?;
        let follows = scanner.peek();
        if !is_quoted
            && key.eq_ignore_ascii_case("include")
            && follows.is_some_and(char::is_whitespace)
        {
            return self.include(scanner, &at);
        }
        scanner.take_while(char::is_whitespace);
        if scanner.take('=') || scanner.take(':') {
            scanner.skip_blanks();
        }
        if scanner.peek().is_none_or(ends_word) {
            // Does not show the key, which may be a part of a secret without quotes.
            return Err(at.problem("this key has no value on its line; an empty string is \"\""));
        }
        self.charge(key.len(), &at)?;
        let value = self.value(scanner, holds_secret(&key))?;
        self.set(Entry {
            key,
            at,
            value,
            used: false,
        });
        Ok(())
    }

    pub(super) fn set(&mut self, entry: Entry) {
        if let Some(map) = self.scopes.last_mut() {
            map.set(entry);
        }
    }

    pub(super) fn value(
        &mut self,
        scanner: &mut Scanner<'_>,
        secret: bool,
    ) -> Result<Value, Problem> {
        let at = scanner.at();
        self.charge(VALUE_COST, &at)?;
        let kind = match scanner.peek() {
            Some('[') => {
                scanner.next();
                Kind::List(self.nested(&at, |parser| parser.list(scanner, secret, &at))?)
            }
            Some('{') => {
                scanner.next();
                self.scopes.push(Map::default());
                let body = Body::Map(at.clone());
                self.nested(&at, |parser| parser.body(scanner, &body))?;
                Kind::Map(self.scopes.pop().unwrap_or_default())
            }
            _ => match words::word(scanner)? {
                Word::Value(kind) => kind,
                Word::Variable(name) => self.variable(&name, &at, secret)?,
            },
        };
        Ok(Value { kind, at })
    }

    fn list(
        &mut self,
        scanner: &mut Scanner<'_>,
        secret: bool,
        open: &Position,
    ) -> Result<Vec<Value>, Problem> {
        let mut values = Vec::new();
        loop {
            scanner.skip_space();
            match scanner.peek() {
                None => return Err(open.problem("the [ is not closed")),
                Some(']') => {
                    scanner.next();
                    return Ok(values);
                }
                Some(',' | ';' | '}') => {
                    return Err(scanner.problem("a value or a ] is missing here"));
                }
                Some(_) => values.push(self.value(scanner, secret)?),
            }
            scanner.skip_blanks();
            scanner.skip_comment();
            match scanner.peek() {
                None | Some(']') => {}
                Some(c) if c == ',' || is_line_end(c) => {
                    scanner.next();
                }
                Some(_) => {
                    return Err(scanner.problem(
                        "a comma, a ] or the end of the line must follow a value of a list; \
                         put a string with blanks or brackets into quotes",
                    ));
                }
            }
        }
    }
}

pub(super) fn too_much(at: &Position) -> Problem {
    let most = MAX_COST >> 20;
    at.problem(format!(
        "the configuration takes more than {most} MiB of memory at this point"
    ))
}

pub(super) fn too_deep(at: &Position) -> Problem {
    at.problem(format!(
        "maps and lists are nested more than {MAX_DEPTH} deep"
    ))
}

/// Reads a key. Returns it, and whether it is in quotes.
fn key(scanner: &mut Scanner<'_>) -> Result<(String, bool), Problem> {
    let at = scanner.at();
    let quote = match scanner.peek() {
        Some(quote @ ('"' | '\'')) => quote,
        Some('=' | ':' | ',' | ';' | '[' | ']' | '{') => {
            return Err(at.problem("a key is missing here"));
        }
        _ => {
            let is_end = |c: char| c.is_whitespace() || matches!(c, '=' | ':');
            let key = scanner.take_while(|c| !is_end(c));
            if key.contains('{') {
                return Err(at.problem("a blank, : or = is missing between a key and its {"));
            }
            return Ok((key.to_owned(), false));
        }
    };
    scanner.next();
    let key = scanner.take_while(|c| c != quote);
    if !scanner.take(quote) {
        return Err(at.problem(format!("the {quote} is not closed")));
    }
    Ok((key.to_owned(), true))
}

/// Reads the end of a value.
fn end_of_value(scanner: &mut Scanner<'_>, body: &Body) -> Result<(), Problem> {
    scanner.skip_blanks();
    scanner.skip_comment();
    match (scanner.peek(), body) {
        (None, _) | (Some('}'), Body::Block(_) | Body::Map(_)) => Ok(()),
        // nats-server accepts a `}` in a file.
        (Some(',' | ';' | '\n' | '\r'), _) | (Some('}'), Body::File) => {
            scanner.next();
            Ok(())
        }
        (Some(_), _) => Err(scanner.problem(
            "a comma, a semicolon, a } or the end of the line must follow a value; \
             put a string with blanks or brackets into quotes",
        )),
    }
}

/// Returns whether the key's value must not appear in messages.
fn holds_secret(key: &str) -> bool {
    let secrets = ["password", "pass", "token", "nkey", "seed"];
    secrets
        .iter()
        .any(|secret| key.eq_ignore_ascii_case(secret))
}
