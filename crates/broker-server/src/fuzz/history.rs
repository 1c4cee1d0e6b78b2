//! The clients' commands, in the order of their execution.

use std::fmt;

use super::super::rig::WORKERS;

/// The options of a client's CONNECT, defined anew so that the model shares nothing with the
/// server.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the protocol")]
pub(super) struct Options {
    pub(super) verbose: bool,
    pub(super) pedantic: bool,
    pub(super) echo: bool,
    pub(super) headers: bool,
    pub(super) no_responders: bool,
}

/// A client's command.
#[derive(Debug, Clone)]
pub(super) enum Command {
    Connect(Options),
    Subscribe {
        sid: u32,
        pattern: String,
        group: Option<&'static str>,
    },
    Unsubscribe {
        sid: u32,
        max: Option<u64>,
    },
    /// The number of the message.
    Publish(usize),
    Ping,
    /// An error that makes the server close the connection, with the server's -ERR.
    Break(Option<&'static str>),
    /// The client leaves, or loses its connection.
    Leave,
}

/// An executed command. Its index in the history is its time.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) client: usize,
    pub(super) command: Command,
    /// How often everything was settled before.
    pub(super) epoch: usize,
    /// Messages before this time have reached all connections of the client's worker.
    pub(super) arrived: usize,
}

/// A message that is published at most once.
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) reply: Option<String>,
    /// Empty for PUB.
    pub(super) headers: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

/// The whole history.
#[derive(Default)]
pub(super) struct History {
    pub(super) exact: bool,
    /// The worker of each client, and whether the client supports headers.
    pub(super) clients: Vec<(usize, bool)>,
    pub(super) messages: Vec<Message>,
    pub(super) entries: Vec<Entry>,
    pub(super) epoch: usize,
    /// Messages before this time have reached all connections of each worker.
    pub(super) arrived: [usize; WORKERS],
    /// The server's counts of published and delivered messages.
    pub(super) counted: (u64, u64),
}

impl History {
    pub(super) fn push(&mut self, client: usize, command: Command) {
        self.entries.push(Entry {
            client,
            command,
            epoch: self.epoch,
            arrived: self.arrived[self.clients[client].0],
        });
    }

    pub(super) fn published(&self) -> usize {
        let is_publish = |entry: &&Entry| matches!(entry.command, Command::Publish(_));
        self.entries.iter().filter(is_publish).count()
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.exact { "exact" } else { "bounds" };
        writeln!(f, "mode: {mode}")?;
        for (client, (worker, _)) in self.clients.iter().enumerate() {
            writeln!(f, "client {client} on worker {worker}")?;
        }
        for (time, entry) in self.entries.iter().enumerate() {
            let Entry {
                client,
                command,
                epoch,
                arrived,
            } = entry;
            write!(
                f,
                "{time} (epoch {epoch}, arrived {arrived}): {client} {command:?}"
            )?;
            if let Command::Publish(number) = command {
                let Message { subject, reply, .. } = &self.messages[*number];
                write!(f, " {subject} {}", reply.as_deref().unwrap_or_default())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Returns whether a client may subscribe to a pattern, without the crate's own check.
pub(super) fn is_valid(pattern: &str) -> bool {
    let tokens: Vec<_> = pattern.split('.').collect();
    let (last, others) = tokens.split_last().expect("there is one token");
    !last.is_empty()
        && others
            .iter()
            .all(|&token| !token.is_empty() && token != ">")
}

/// Returns whether a subject has neither wildcards nor empty tokens.
pub(super) fn is_literal(subject: &str) -> bool {
    let mut tokens = subject.split('.');
    tokens.all(|token| !matches!(token, "" | "*" | ">"))
}

/// Returns whether the subject matches the pattern: token by token, without the crate's own tables.
pub(super) fn is_match(pattern: &str, subject: &str) -> bool {
    let subject: Vec<_> = subject.split('.').collect();
    if subject.contains(&"") {
        return false;
    }
    let pattern: Vec<_> = pattern.split('.').collect();
    for (index, &token) in pattern.iter().enumerate() {
        match (token, subject.get(index)) {
            (_, None) => return false,
            (">", _) => return true,
            ("*", _) => {}
            (token, Some(&other)) if token == other => {}
            _ => return false,
        }
    }
    pattern.len() == subject.len()
}
