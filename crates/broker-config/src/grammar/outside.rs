//! References out of a text: includes and variables.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::parser::{Parser, too_deep, too_much};
use super::scanner::{Scanner, is_blank, is_line_end};
use super::{Kind, MAX_CHAIN, MAX_COST, MAX_DEPTH};
use crate::problem::{Position, Problem};

impl Parser<'_> {
    /// Resolves a variable: an earlier key in this map or in one around it, or an environment
    /// variable.
    pub(super) fn variable(
        &mut self,
        name: &str,
        at: &Position,
        secret: bool,
    ) -> Result<Kind, Problem> {
        // A bcrypt hash needs no quotes.
        if name.starts_with("2a$") {
            return Ok(Kind::Text(format!("${name}")));
        }
        let mut scopes = self.scopes.iter_mut().rev();
        if let Some(entry) = scopes.find_map(|map| map.get_mut(name)) {
            entry.used = true;
            self.cost = self.cost.saturating_add(entry.value.cost());
            if self.depth + entry.value.depth() > MAX_DEPTH {
                return Err(too_deep(at));
            }
            if self.cost > MAX_COST {
                return Err(too_much(at));
            }
            return Ok(entry.value.kind.clone());
        }
        // A text that is not a name may be a secret that begins with a $.
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let shown = if is_name && !secret {
            format!("the variable {name:?}")
        } else {
            "the variable".to_owned()
        };
        let Some(text) = (self.sources.variable)(name) else {
            return Err(at.problem(format!(
                "{shown} is set neither earlier in this file nor in the environment; \
                 put a string that begins with a $ in quotes"
            )));
        };
        if self.variables.iter().any(|outer| outer == name) {
            return Err(at.problem(format!("{shown} in the environment refers to itself")));
        }
        if self.variables.len() == MAX_CHAIN {
            return Err(at.problem(format!(
                "{shown} in the environment is referred to through {MAX_CHAIN} others; \
                 at most {MAX_CHAIN} are allowed"
            )));
        }
        self.charge(text.len(), at)?;
        self.variables.push(name.to_owned());
        let outer = std::mem::take(&mut self.scopes);
        let kind = self.environment(&text, secret).map_err(|inner| {
            let why = if secret {
                "put a string in quotes"
            } else {
                &inner.text
            };
            at.problem(format!("{shown} in the environment is not a value: {why}"))
        })?;
        self.scopes = outer;
        self.variables.pop();
        Ok(kind)
    }

    /// Parses the text of an environment variable.
    fn environment(&mut self, text: &str, secret: bool) -> Result<Kind, Problem> {
        let mut scanner = Scanner::new(Arc::from(""), text);
        scanner.skip_blanks();
        if scanner.peek().is_none() {
            return Ok(Kind::Text(String::new()));
        }
        let value = self.value(&mut scanner, secret)?;
        scanner.skip_space();
        if scanner.peek().is_some() {
            return Err(scanner.problem("text follows the value; put a string in quotes"));
        }
        Ok(value.kind)
    }

    /// Sets the keys of another file.
    pub(super) fn include(
        &mut self,
        scanner: &mut Scanner<'_>,
        at: &Position,
    ) -> Result<(), Problem> {
        scanner.skip_blanks();
        let name = include_name(scanner)?;
        // As in nats-server, every path is below the folder of the file.
        let outer = self.files.last().map(PathBuf::as_path);
        let folder = outer.and_then(Path::parent).unwrap_or(Path::new(""));
        let path = clean(&folder.join(name.trim_start_matches('/')));
        let shown = path.display().to_string();
        if self.files.iter().any(|file| clean(file) == path) {
            return Err(at.problem(format!("{shown:?} includes itself")));
        }
        if self.files.len() == MAX_CHAIN {
            return Err(at.problem(format!(
                "{shown:?} would be the {}th file in a chain of includes; at most {MAX_CHAIN} are allowed",
                MAX_CHAIN + 1
            )));
        }
        let included = self.file(&path, |text| {
            at.problem(format!(
                "{text}; paths are relative to the folder of the including file"
            ))
        })?;
        for entry in included.entries {
            self.set(entry);
        }
        Ok(())
    }
}

/// Reads the path after `include`.
fn include_name<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str, Problem> {
    let at = scanner.at();
    let name = match scanner.peek() {
        Some(quote @ ('"' | '\'')) => {
            scanner.next();
            let name = scanner.take_while(|c| c != quote);
            if !scanner.take(quote) {
                return Err(at.problem(format!("the {quote} is not closed")));
            }
            name
        }
        Some(c) if "[{(-\\".contains(c) || c.is_ascii_digit() => {
            return Err(at.problem("a file path must follow include, in quotes"));
        }
        _ => {
            let is_end = |c: char| is_blank(c) || is_line_end(c) || matches!(c, ';' | '}' | '\'');
            let name = scanner.take_while(|c| !is_end(c));
            scanner.take('\'');
            name
        }
    };
    if name.is_empty() {
        return Err(at.problem("a file path must follow include"));
    }
    Ok(name)
}

/// Resolves `.` and `..` in the path lexically.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(clean.components().next_back(), Some(Component::Normal(_))) =>
            {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
