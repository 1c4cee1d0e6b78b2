//! A fixed rate, each message at its time.

use super::{Moment, Pacing, Publisher, Then};
use crate::LoadError;
use crate::clock::Schedule;

/// What a connection may have unsent before sending pauses for all. What then
/// comes late still has its intended time.
const UNSENT: usize = 1 << 20;

pub(super) struct Even(Schedule);

impl Even {
    pub(super) fn new(rate: u64) -> Self {
        sleep_exactly();
        Self(Schedule::new(rate))
    }
}

impl Pacing for Even {
    fn turn(
        &mut self,
        publishers: &mut [Publisher],
        moment: Moment<'_>,
    ) -> Result<Then, LoadError> {
        if moment.over {
            return Ok(Then::Done);
        }
        let all = moment.all.unwrap_or(u64::MAX);
        let due = self.0.due(moment.now).min(all);
        let mut sent = moment.counters.published();
        // Taking turns, so that each publisher has an even share.
        while sent < due {
            let place = usize::try_from(sent % publishers.len() as u64).unwrap_or_default();
            let publisher = &mut publishers[place];
            if publisher.wire.unsent() > UNSENT {
                break;
            }
            publisher.append(self.0.intended(sent), moment.counters);
            sent += 1;
        }
        for publisher in publishers {
            publisher.wire.flush()?;
        }
        Ok(if sent < all {
            Then::Sleep(self.0.intended(sent))
        } else {
            Then::Done
        })
    }
}

/// Linux otherwise wakes a thread up to 50 microseconds late.
fn sleep_exactly() {
    #[cfg(target_os = "linux")]
    {
        // If it fails, latencies are that much longer.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    }
}
