//! The parameters of a load and the deliveries it should lead to.

use std::time::Duration;

use super::{Address, LoadError, Login};

/// Who sends what to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Publishers send, subscribers receive.
    Publish,
    /// Publishers send requests; one subscriber answers each.
    Request,
}

/// The parameters of a load.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server's address.
    pub server: Address,
    /// The credentials for the server.
    pub login: Login,
    /// The server of the subscribers and the credentials for it, if it is another one: messages
    /// then cross a cluster or a leaf node connection.
    pub subscribers_at: Option<(Address, Login)>,
    /// Who sends what to whom.
    pub pattern: Pattern,
    /// Connections that publish or request.
    pub publishers: usize,
    /// Connections that subscribe or answer.
    pub subscribers: usize,
    /// The queue group in which subscribers share messages.
    pub queue: Option<String>,
    /// The number of subjects: publisher and subscriber `i` use subject `i` modulo this.
    pub subjects: usize,
    /// The payload size in bytes.
    pub size: usize,
    /// How many messages to measure, of all publishers together.
    pub messages: Option<u64>,
    /// How long to measure.
    pub duration: Option<Duration>,
    /// Messages per second of all publishers together; `None` means as many as
    /// the server accepts.
    pub rate: Option<u64>,
    /// How long the load runs before the measurement.
    pub warm_up: Duration,
    /// Without a rate: the most bytes in flight to one subscriber; `None` for no
    /// limit.
    pub in_flight: Option<usize>,
    /// Without a rate: how many requests of one requester may be unanswered.
    pub outstanding: usize,
}

impl Plan {
    /// Checks that the load can be run.
    ///
    /// # Errors
    ///
    /// If the options contradict each other.
    pub fn check(&self) -> Result<(), LoadError> {
        let wrong = if self.messages.is_none() && self.duration.is_none() {
            "the load would never end; give --messages or --duration"
        } else if self.publishers == 0 {
            "the load has no publisher; give --publishers 1 or more"
        } else if self.subjects == 0 {
            "the load has no subject; give --subjects 1 or more"
        } else if self.pattern == Pattern::Request && self.subscribers < self.subjects {
            "each subject needs a responder; give at least as many --subscribers as --subjects"
        } else if self.pattern == Pattern::Request && self.queue.is_some() {
            "responders always share a queue group; leave out --queue or --request"
        } else {
            return Ok(());
        };
        Err(LoadError::Plan(wrong))
    }

    /// Returns the server that subscribers connect to, and the credentials for it.
    pub(super) fn place_of_subscribers(&self) -> (&Address, &Login) {
        let place = self.subscribers_at.as_ref();
        place.map_or((&self.server, &self.login), |(server, login)| {
            (server, login)
        })
    }

    /// Returns the index of the subject that a publisher or subscriber uses.
    #[must_use]
    pub fn subject_of(&self, place: usize) -> usize {
        place % self.subjects
    }

    /// Returns the number of subscribers that receive each message of a subject.
    #[must_use]
    pub fn fan_out(&self, subject: usize) -> u64 {
        let listening = (subject..self.subscribers).step_by(self.subjects).count();
        match (self.pattern, &self.queue) {
            // The answer.
            (Pattern::Request, _) => 1,
            (Pattern::Publish, Some(_)) => u64::from(listening > 0),
            (Pattern::Publish, None) => listening as u64,
        }
    }
}

/// Expected deliveries against received ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Deliveries expected.
    pub expected: u64,
    /// Deliveries that did not arrive.
    pub lost: u64,
    /// Deliveries beyond the expected ones.
    pub surplus: u64,
}

impl Balance {
    /// Compares what each publisher sent with what each subscriber received
    /// (for requests: what each requester received), subject by subject.
    ///
    /// One subscriber's surplus never makes up for another's loss, except in a
    /// queue group, where each message may go to any member.
    #[must_use]
    pub fn of(plan: &Plan, sent: &[u64], received: &[u64]) -> Self {
        let mut balance = Self::default();
        if plan.pattern == Pattern::Request {
            for (&sent, &received) in sent.iter().zip(received) {
                balance.add(sent, received);
            }
            return balance;
        }
        for subject in 0..plan.subjects {
            let of = |counts: &[u64]| -> Vec<u64> {
                let own = counts.iter().skip(subject).step_by(plan.subjects);
                own.copied().collect()
            };
            let sent: u64 = of(sent).iter().sum();
            let received = of(received);
            if plan.queue.is_none() {
                for received in received {
                    balance.add(sent, received);
                }
            } else if !received.is_empty() {
                balance.add(sent, received.iter().sum());
            }
        }
        balance
    }

    fn add(&mut self, expected: u64, received: u64) {
        self.expected += expected;
        self.lost += expected.saturating_sub(received);
        self.surplus += received.saturating_sub(expected);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn plan(publishers: usize, subscribers: usize) -> Plan {
        Plan {
            server: Address {
                host: "127.0.0.1".to_owned(),
                port: 4222,
            },
            login: Login::default(),
            subscribers_at: None,
            pattern: Pattern::Publish,
            publishers,
            subscribers,
            queue: None,
            subjects: 1,
            size: 16,
            messages: Some(10),
            duration: None,
            rate: None,
            warm_up: Duration::ZERO,
            in_flight: None,
            outstanding: 1,
        }
    }

    fn balance(plan: &Plan, sent: &[u64], received: &[u64]) -> (u64, u64, u64) {
        let balance = Balance::of(plan, sent, received);
        (balance.expected, balance.lost, balance.surplus)
    }

    #[test]
    fn fan_out_counts_each_subscriber() {
        let plan = plan(2, 3);
        assert_eq!(plan.fan_out(0), 3);
        assert_eq!(balance(&plan, &[4, 6], &[10, 10, 10]), (30, 0, 0));
        assert_eq!(balance(&plan, &[4, 6], &[10, 9, 7]), (30, 4, 0));
        // One subscriber has one message too many, another one too few.
        assert_eq!(balance(&plan, &[4, 6], &[11, 9, 10]), (30, 1, 1));
    }

    #[test]
    fn a_queue_group_shares() {
        let mut plan = plan(2, 3);
        plan.queue = Some("q".to_owned());
        assert_eq!(plan.fan_out(0), 1);
        assert_eq!(balance(&plan, &[4, 6], &[1, 9, 0]), (10, 0, 0));
        assert_eq!(balance(&plan, &[4, 6], &[1, 9, 1]), (10, 0, 1));
        assert_eq!(balance(&plan, &[4, 6], &[0, 0, 7]), (10, 3, 0));
    }

    #[test]
    fn subjects_are_kept_apart() {
        let mut plan = plan(3, 3);
        plan.subjects = 2;
        // Publishers 0 and 2 with subscribers 0 and 2; 1 with 1.
        assert_eq!([plan.fan_out(0), plan.fan_out(1)], [2, 1]);
        assert_eq!(balance(&plan, &[5, 7, 1], &[6, 7, 6]), (19, 0, 0));
        assert_eq!(balance(&plan, &[5, 7, 1], &[6, 6, 7]), (19, 1, 1));
        plan.queue = Some("q".to_owned());
        assert_eq!(balance(&plan, &[5, 7, 1], &[4, 7, 2]), (13, 0, 0));
    }

    #[test]
    fn without_subscribers_nothing_is_lost() {
        let mut plan = plan(2, 0);
        assert_eq!(plan.fan_out(0), 0);
        assert_eq!(balance(&plan, &[4, 6], &[]), (0, 0, 0));
        plan.queue = Some("q".to_owned());
        assert_eq!(plan.fan_out(0), 0);
        assert_eq!(balance(&plan, &[4, 6], &[]), (0, 0, 0));
    }

    #[test]
    fn each_request_has_one_answer() {
        let mut plan = plan(2, 4);
        plan.pattern = Pattern::Request;
        assert_eq!(plan.fan_out(0), 1);
        assert_eq!(balance(&plan, &[4, 6], &[4, 5]), (10, 1, 0));
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |change: fn(&mut Plan)| {
            let mut plan = plan(1, 1);
            assert!(plan.check().is_ok());
            change(&mut plan);
            plan.check().expect_err("a contradiction").to_string()
        };
        assert!(refused(|plan| plan.messages = None).contains("--messages"));
        assert!(refused(|plan| plan.publishers = 0).contains("--publishers"));
        assert!(refused(|plan| plan.subjects = 0).contains("--subjects"));
        let request = refused(|plan| {
            plan.pattern = Pattern::Request;
            plan.subscribers = 0;
        });
        assert!(request.contains("--subscribers"));
    }
}
