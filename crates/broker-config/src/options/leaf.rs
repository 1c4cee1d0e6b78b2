//! The hubs to connect to as a leaf node.

use std::collections::HashSet;
use std::path::PathBuf;

use broker_server::LeafUrl;

use super::LeafRemote;
use super::checks::is_seed;
use super::others::Place;
use super::reader::{Field, Reader, fields};
use crate::secret::Secret;

impl<'a> Reader<'a> {
    /// Reads the remote of `leafnodes`.
    pub(super) fn leafnodes(&mut self, field: &Field<'a>) -> Option<LeafRemote> {
        let mut remote = None;
        for (key, field) in fields(self.map(field)?) {
            match key.as_str() {
                "remotes" => {
                    let elements = self.list(&field);
                    let mut remotes: Vec<_> = elements
                        .iter()
                        .filter_map(|element| self.remote(element))
                        .collect();
                    if let Some(second) = elements.get(1) {
                        self.error(
                            second.at,
                            "Broker is a leaf node of one hub; leave the other remotes out, or list the servers of one cluster in urls",
                        );
                    }
                    remote = (!remotes.is_empty()).then(|| remotes.swap_remove(0));
                }
                "reconnect" | "reconnect_delay" | "reconnect_interval" => {
                    if self.duration(&field).is_some() {
                        let text = format!(
                            "{} has no effect: Broker dials again within 0.25 s, then less often, up to every 5 s",
                            field.name
                        );
                        self.warn(field.at, text);
                    }
                }
                _ => self.other(Place::Leaf, &key, &field),
            }
        }
        remote
    }

    fn remote(&mut self, element: &Field<'a>) -> Option<LeafRemote> {
        let mut remote = LeafRemote::default();
        let mut has_urls = false;
        for (key, field) in fields(self.map(element)?) {
            match key.as_str() {
                "url" | "urls" => {
                    has_urls = true;
                    remote.urls = self.urls(&field);
                }
                "account" | "local" => self.account(&field),
                "creds" | "credentials" => remote.credentials = self.expanded(&field),
                "nkey" | "seed" => remote.nkey = self.seed(&field),
                "tls" => remote.tls = self.remote_tls(&field),
                "deny_imports" | "deny_import" => {
                    remote.deny_imports = self.subjects(&field, false);
                }
                "deny_exports" | "deny_export" => {
                    remote.deny_exports = self.subjects(&field, false);
                }
                _ => self.other(Place::Remote, &key, &field),
            }
        }
        if !has_urls {
            self.error(element.at, "a remote needs a url, or a list of urls");
        }
        if remote.credentials.is_some() && remote.nkey.is_some() {
            let text = "Remote leafnode can not have both creds and nkey defined";
            self.error(element.at, text);
        }
        Some(remote)
    }

    fn urls(&mut self, field: &Field<'a>) -> Vec<LeafUrl> {
        let (mut urls, mut seen) = (Vec::new(), HashSet::new());
        for (text, at) in self.texts(field) {
            let text = text.trim();
            if !seen.insert(text) {
                self.warn(at, "duplicate leafnode url");
                continue;
            }
            match text.parse::<LeafUrl>() {
                Ok(url) => urls.push(url),
                // A text that is not a URL may contain a password too.
                Err(error) => self.error(at, format!("this is not a leafnode url: {}", error.why)),
            }
        }
        if urls.is_empty() && seen.is_empty() {
            self.error(field.at, format!("{} lists no servers", field.name));
        }
        urls
    }

    fn account(&mut self, field: &Field<'a>) {
        if let Some(name) = self.text(field)
            && !matches!(name, "" | "$G")
        {
            let text = format!(
                "{}: Broker has one account for all users, \"$G\"; leave it out",
                field.name
            );
            self.error(field.at, text);
        }
    }

    fn seed(&mut self, field: &Field<'a>) -> Option<Secret> {
        let text = self.name(field)?;
        if is_seed(&text) {
            return Some(Secret(text));
        }
        let name = field.name;
        let text =
            format!("{name} is not the seed of a user's NKey: SU and 56 characters of A-Z and 2-7");
        self.error(field.at, text);
        None
    }

    /// Reads a path and expands environment variables and `~` in it as a shell does.
    fn expanded(&mut self, field: &Field<'a>) -> Option<PathBuf> {
        let text = self.name(field)?;
        match expand(&text, self.sources.variable) {
            Ok(path) => Some(path.into()),
            Err(name) => {
                let text = format!(
                    "{}: the variable {name:?} is not set in the environment",
                    field.name
                );
                self.error(field.at, text);
                None
            }
        }
    }
}

/// Expands `$NAME`, `${NAME}`, and `~` at the start. The error is the name of a variable that is
/// not set.
fn expand<'a>(text: &'a str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, &'a str> {
    let mut path = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        path.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, next) = match after
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'))
        {
            Some(split) => split,
            None => after.split_at(end.unwrap_or(after.len())),
        };
        path.push_str(&variable(name).ok_or(name)?);
        rest = next;
    }
    path.push_str(rest);
    match path.strip_prefix('~') {
        Some(below) => Ok(format!(
            "{}/{}",
            variable("HOME").ok_or("HOME")?,
            below.trim_start_matches('/')
        )),
        None => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_expanded() {
        let variable = |name: &str| match name {
            "A" => Some("/a".to_owned()),
            "HOME" => Some("/home/b".to_owned()),
            _ => None,
        };
        for (text, expected) in [
            ("x.creds", Ok("x.creds")),
            ("$A/x", Ok("/a/x")),
            ("${A}x/$A", Ok("/ax//a")),
            ("~/x", Ok("/home/b/x")),
            ("$B/x", Err("B")),
            ("${B", Err("")),
            ("a$", Err("")),
        ] {
            let found = expand(text, &variable);
            assert_eq!(found.as_deref(), expected.as_deref(), "{text}");
        }
    }
}
