//! A fixed rate: each message is sent at its own time.

use super::{Moment, Pacing, Publisher, Then};
use crate::LoadError;
use crate::clock::Schedule;

/// When a connection has this much unsent, sending pauses for all. Messages
/// that are then sent late keep their intended time.
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
        let due = self.0.due(moment.now).min(all).min(moment.due);
        let mut sent = moment.counters.published();
        // Publishers take turns, so each has an even share.
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

/// Sets the timer slack to 1 ns. By default Linux may wake a thread 50 µs late.
fn sleep_exactly() {
    #[cfg(target_os = "linux")]
    {
        // If this fails, latencies are higher by that much.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    }
}
