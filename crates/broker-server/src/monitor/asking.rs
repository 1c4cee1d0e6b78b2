//! The monitor's questions to workers, and its limits.

use std::cell::Cell;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::super::inspect::{Answer, Asked, Question};
use super::super::mailbox::Mail;
use super::super::shared::Shared;
use super::http::{Page, Status};
use super::query::BadQuery;

/// Total time that one page waits for workers. It is less than the time that a monitoring client
/// has for its request and the response.
const PATIENCE: Duration = Duration::from_secs(1);

/// Largest response, in bytes.
const MAX_ANSWER: usize = 4 << 20;

/// Most bytes of responses that monitoring clients have not read yet.
pub(super) const MAX_UNREAD: usize = 8 << 20;

/// Why a page is unavailable.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Query(#[from] BadQuery),
    #[error("the response would exceed {} MiB; use limit and offset to request it in parts", MAX_ANSWER >> 20)]
    TooLarge,
    #[error("{} MiB of responses are waiting for monitoring clients to read them; try again later", MAX_UNREAD >> 20)]
    NoRoom,
    #[error(
        "worker {0} did not answer in time: it is busy, or the server is shutting down; try again later"
    )]
    Silent(usize),
}

impl Refusal {
    /// Returns the response.
    pub(super) fn page(&self) -> Page {
        let status = match self {
            Self::Query(_) | Self::TooLarge => Status::BadRequest,
            Self::NoRoom | Self::Silent(_) => Status::ServiceUnavailable,
        };
        Page::text(status, &self.to_string())
    }
}

/// A list of rows as text, with a size limit.
#[derive(Debug)]
pub(super) struct Text {
    rows: String,
    /// Size limit in bytes.
    most: usize,
    /// Bytes left in the total of unread responses.
    room: usize,
}

impl Text {
    pub(super) fn new(room: usize) -> Self {
        Self {
            rows: String::new(),
            most: MAX_ANSWER,
            room,
        }
    }

    /// Returns an empty list that will be part of a row of this one.
    pub(super) fn part(&self) -> Self {
        let size = self.rows.len();
        Self {
            rows: String::new(),
            most: self.most.saturating_sub(size),
            room: self.room.saturating_sub(size),
        }
    }

    /// Returns whether there are no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Checks a size in bytes against the limits.
    fn check(&self, size: usize) -> Result<(), Refusal> {
        if size > self.most {
            return Err(Refusal::TooLarge);
        }
        if size > self.room {
            return Err(Refusal::NoRoom);
        }
        Ok(())
    }

    /// Adds a row to the list.
    pub(super) fn add_row(&mut self, row: &str) -> Result<(), Refusal> {
        let separator = if self.rows.is_empty() { "\n" } else { ",\n" };
        self.check(self.rows.len() + separator.len() + row.len())?;
        self.rows.push_str(separator);
        self.rows.push_str(row);
        Ok(())
    }

    /// Returns the rows as the field `name` of an object that also has the fields of `others`.
    pub(super) fn within(self, others: &serde_json::Value, name: &str) -> String {
        let mut whole = others.to_string();
        // The closing brace.
        whole.pop();
        let rows = self.rows;
        whole + ",\"" + name + "\":[" + &rows + "\n]}"
    }
}

/// The workers, and the time left to ask them.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) shared: &'a Shared,
    /// The time left.
    left: Cell<Duration>,
}

impl<'a> Asking<'a> {
    /// Starts to ask. Fails at once if a worker has already been busy for longer than the timeout,
    /// because other monitoring clients wait meanwhile.
    pub(super) fn new(shared: &'a Shared) -> Result<Self, Refusal> {
        let now = shared.started.elapsed();
        let busy = shared.workers.iter().position(|peer| {
            let busy = peer.busy_since(now);
            !peer.is_dead() && busy.is_some_and(|busy| busy > PATIENCE)
        });
        match busy {
            Some(worker) => Err(Refusal::Silent(worker)),
            None => Ok(Self {
                shared,
                left: Cell::new(PATIENCE),
            }),
        }
    }

    /// Returns the live workers.
    pub(super) fn workers(&self) -> impl Iterator<Item = usize> {
        let workers = self.shared.workers.iter().enumerate();
        let alive = workers.filter(|(_, peer)| !peer.is_dead());
        alive.map(|(index, _)| index)
    }

    /// Asks workers, and passes the answers to `then`, which returns the next question to the
    /// worker. A worker that dies meanwhile has no connections any more.
    pub(super) fn ask(
        &self,
        questions: impl IntoIterator<Item = (usize, Question)>,
        mut then: impl FnMut(usize, Answer) -> Result<Option<Question>, Refusal>,
    ) -> Result<(), Refusal> {
        let (reply, answers) = mpsc::channel();
        let send = |worker: usize, question| {
            let asked = Asked {
                question,
                until: Instant::now() + self.left.get(),
                reply: reply.clone(),
            };
            let mail = Mail::Asked(Box::new(asked));
            self.shared.workers[worker].mailbox.send(mail);
        };
        let mut awaited = Vec::new();
        for (worker, question) in questions {
            send(worker, question);
            awaited.push(worker);
        }
        while !awaited.is_empty() {
            let (begin, left) = (Instant::now(), self.left.get());
            let answered = answers.recv_timeout(left);
            self.left.set(left.saturating_sub(begin.elapsed()));
            let Ok((worker, answer)) = answered else {
                awaited.retain(|&worker| !self.shared.workers[worker].is_dead());
                return awaited
                    .first()
                    .map_or(Ok(()), |&worker| Err(Refusal::Silent(worker)));
            };
            match then(worker, answer)? {
                Some(question) => send(worker, question),
                None => awaited.retain(|&other| other != worker),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Server;
    use super::super::super::rig::config;
    use super::*;

    #[test]
    fn workers_that_do_not_answer_are_waited_for_so_long_only() {
        // None of its workers runs.
        let server = Server::bind(config()).expect("any free port");
        let shared = &server.shared;
        let ask = || {
            let asking = Asking::new(shared)?;
            let questions = asking.workers().map(|worker| (worker, Question::Cache));
            asking.ask(questions, |_, _| Ok(None))
        };
        let start = Instant::now();
        assert_eq!(ask(), Err(Refusal::Silent(0)));
        assert!(start.elapsed() >= PATIENCE);
        // The worker counts as busy by now.
        let start = Instant::now();
        assert_eq!(ask(), Err(Refusal::Silent(0)));
        assert!(start.elapsed() < PATIENCE);
        // Dead workers are not waited for.
        for peer in &shared.workers {
            peer.bury();
        }
        assert_eq!(ask(), Ok(()));
    }

    #[test]
    fn answers_are_bounded() {
        let row = "x".repeat(1 << 20);
        let fill = |room| {
            let mut text = Text::new(room);
            let added = (0..100).take_while(|_| text.add_row(&row).is_ok()).count();
            (added, text.add_row(&row))
        };
        assert_eq!(fill(MAX_UNREAD), (3, Err(Refusal::TooLarge)));
        assert_eq!(fill(2 << 20), (1, Err(Refusal::NoRoom)));
    }

    #[test]
    fn rows_become_a_list() {
        let mut text = Text::new(MAX_UNREAD);
        for row in ["1", "2"] {
            assert_eq!(text.add_row(row), Ok(()));
        }
        let whole = text.within(&serde_json::json!({ "a": 0 }), "rows");
        assert_eq!(whole, "{\"a\":0,\"rows\":[\n1,\n2\n]}");
    }

    #[test]
    fn refusals_have_different_statuses() {
        for (refusal, status) in [
            (Refusal::Silent(3), Status::ServiceUnavailable),
            (Refusal::NoRoom, Status::ServiceUnavailable),
            (Refusal::TooLarge, Status::BadRequest),
            (BadQuery::Escape.into(), Status::BadRequest),
        ] {
            let page = refusal.page();
            assert_eq!(page.status, status);
            assert_eq!(page.body, format!("{refusal}\n"));
        }
    }
}
