//! A fixed number of unanswered requests per requester.

use super::{IDLE, Moment, Pacing, Publisher, Then};
use crate::{LoadError, Plan};

/// After this long without an answer, missing answers count as lost: at the
/// end of the run (`QUIET`) and during it (`PATIENCE`).
const QUIET: u64 = 2_000_000_000;
const PATIENCE: u64 = 10_000_000_000;

pub(super) struct Outstanding(u64);

impl Outstanding {
    pub(super) fn new(plan: &Plan) -> Self {
        Self(plan.outstanding.max(1) as u64)
    }
}

impl Pacing for Outstanding {
    fn turn(
        &mut self,
        publishers: &mut [Publisher],
        moment: Moment<'_>,
    ) -> Result<Then, LoadError> {
        let (now, over, counters) = (moment.now, moment.over, moment.counters);
        let all = if over { Some(0) } else { moment.all };
        let all = all.unwrap_or(u64::MAX);
        for publisher in publishers {
            while publisher.unanswered() < self.0 && counters.published() < all {
                publisher.append(now, counters);
            }
            publisher.wire.flush()?;
        }
        let answered = counters.in_flight() == 0 && counters.published() >= all;
        let patience = if over { QUIET } else { PATIENCE };
        let quiet = now.saturating_sub(counters.last_delivery()) > patience;
        Ok(if answered || quiet {
            Then::Done
        } else {
            Then::Wait(IDLE)
        })
    }
}
