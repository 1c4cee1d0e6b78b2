//! What is to be done, and what must come of it.

use std::time::Duration;

use super::{Address, LoadError, Login};

/// Who sends what to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Publishers send, subscribers receive.
    Publish,
    /// Publishers send requests, of which a subscriber answers each.
    Request,
}

/// A load.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the server is.
    pub server: Address,
    /// What it wants to see.
    pub login: Login,
    /// Who sends what to whom.
    pub pattern: Pattern,
    /// Connections that publish or request.
    pub publishers: usize,
    /// Connections that subscribe or answer.
    pub subscribers: usize,
    /// The group in which subscribers share messages.
    pub queue: Option<String>,
    /// Subjects: publisher and subscriber `i` use subject `i` modulo these.
    pub subjects: usize,
    /// Bytes of a payload.
    pub size: usize,
    /// How many messages are measured, of all publishers together.
    pub messages: Option<u64>,
    /// How long is measured.
    pub duration: Option<Duration>,
    /// Messages per second of all publishers together; `None` for as many as
    /// the server takes.
    pub rate: Option<u64>,
    /// How long the load runs before it is measured.
    pub warm_up: Duration,
    /// Without a rate: bytes on their way to one subscriber at most; `None` for
    /// no limit.
    pub in_flight: Option<usize>,
    /// Without a rate: requests of one requester that may be unanswered.
    pub outstanding: usize,
}

impl Plan {
    /// Whether it can be carried out at all.
    ///
    /// # Errors
    ///
    /// When it contradicts itself.
    pub fn check(&self) -> Result<(), LoadError> {
        let wrong = if self.messages.is_none() && self.duration.is_none() {
            "the load would never end; give --messages or --duration"
        } else if self.publishers == 0 {
            "nobody would publish; give --publishers 1 or more"
        } else if self.subjects == 0 {
            "there must be a subject; give --subjects 1 or more"
        } else if self.pattern == Pattern::Request && self.subscribers < self.subjects {
            "each subject needs somebody who answers; give at least as many --subscribers as --subjects"
        } else if self.pattern == Pattern::Request && self.queue.is_some() {
            "those who answer requests share a group anyway; leave out --queue or --request"
        } else {
            return Ok(());
        };
        Err(LoadError::Plan(wrong))
    }

    /// The subject's place that a publisher or subscriber uses.
    #[must_use]
    pub fn subject_of(&self, place: usize) -> usize {
        place % self.subjects
    }

    /// To how many subscribers each message of a subject is delivered.
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

/// What became of all messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Deliveries that there should be.
    pub expected: u64,
    /// Deliveries that did not come.
    pub lost: u64,
    /// Deliveries that came too often.
    pub surplus: u64,
}

impl Balance {
    /// Weighs what each publisher sent against what each subscriber received
    /// (of requests: what each requester did), subject by subject.
    ///
    /// One subscriber's surplus never makes up for another's loss, but in a
    /// queue group, where nobody knows whose a message was.
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
        // One too many here and one too few there is both.
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
