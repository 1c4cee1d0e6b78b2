//! The sort order of `/connz` rows.

use std::time::Instant;

use crate::closed_state::ClosedState;
use crate::row::Figures;

/// The sort keys, by nats-server's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// By number, which is also the order of start times.
    #[default]
    Cid,
    Start,
    Subs,
    Pending,
    MsgsTo,
    MsgsFrom,
    BytesTo,
    BytesFrom,
    Last,
    Idle,
    Uptime,
    Stop,
    Reason,
    Rtt,
}

/// All keys by their names.
const NAMES: [(&str, Sort); 14] = [
    ("cid", Sort::Cid),
    ("start", Sort::Start),
    ("subs", Sort::Subs),
    ("pending", Sort::Pending),
    ("msgs_to", Sort::MsgsTo),
    ("msgs_from", Sort::MsgsFrom),
    ("bytes_to", Sort::BytesTo),
    ("bytes_from", Sort::BytesFrom),
    ("last", Sort::Last),
    ("idle", Sort::Idle),
    ("uptime", Sort::Uptime),
    ("stop", Sort::Stop),
    ("reason", Sort::Reason),
    ("rtt", Sort::Rtt),
];

impl Sort {
    /// Returns the key with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = NAMES.iter();
        all.find(|(known, _)| *known == name).map(|&(_, sort)| sort)
    }

    /// Returns all names.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|&(name, _)| name)
    }

    /// Returns whether only closed connections have this key.
    pub(crate) fn needs_closed(self) -> bool {
        matches!(self, Self::Stop | Self::Reason)
    }

    /// Returns the rank of a connection: smaller ranks come first, and equal ranks are sorted by
    /// number. As in nats-server, larger counts and later times come first, while numbers, uptimes
    /// and reasons ascend.
    ///
    /// Times are relative to `base`. `ended` is the time and reason of the connection's end.
    pub(crate) fn rank(
        self,
        figures: &Figures,
        ended: Option<(Instant, ClosedState)>,
        base: Instant,
        now: Instant,
    ) -> u64 {
        let since = |at: Instant| nanoseconds(at, base);
        let tally = &figures.tally;
        match self {
            Self::Cid | Self::Start => figures.cid,
            Self::Subs => !(figures.subscriptions as u64),
            Self::Pending => !(figures.pending as u64),
            Self::MsgsTo => !tally.out_msgs,
            Self::MsgsFrom => !tally.in_msgs,
            Self::BytesTo => !tally.out_bytes,
            Self::BytesFrom => !tally.in_bytes,
            Self::Last => !since(figures.last),
            // The longest idle time belongs to the earliest activity.
            Self::Idle => since(figures.last),
            Self::Uptime => nanoseconds(ended.map_or(now, |(stop, _)| stop), figures.start),
            Self::Stop => !ended.map_or(0, |(stop, _)| since(stop)),
            Self::Reason => ended.map_or(0, |(_, state)| state as u64),
            Self::Rtt => !u64::try_from(figures.rtt.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

fn nanoseconds(at: Instant, base: Instant) -> u64 {
    let since = at.saturating_duration_since(base).as_nanos();
    u64::try_from(since).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tally::Tally;

    #[test]
    fn each_order_has_its_direction() {
        let base = Instant::now();
        let at = |seconds| base + Duration::from_secs(seconds);
        let figures = |cid: u64, more: u64| Figures {
            cid,
            start: at(cid),
            last: at(10 + more),
            rtt: Duration::from_millis(more),
            pending: usize::try_from(more).expect("it is small"),
            subscriptions: usize::try_from(more).expect("it is small"),
            tally: Tally {
                in_msgs: more,
                in_bytes: more,
                out_msgs: more,
                out_bytes: more,
                last_out: base,
            },
        };
        // The second connection came later, did more and ended first.
        let all = [
            (figures(1, 5), (at(40), ClosedState::WriteError)),
            (figures(2, 6), (at(30), ClosedState::ClientClosed)),
        ];
        for (name, first) in [
            ("cid", 1),
            ("start", 1),
            ("subs", 2),
            ("pending", 2),
            ("msgs_to", 2),
            ("msgs_from", 2),
            ("bytes_to", 2),
            ("bytes_from", 2),
            ("last", 2),
            ("idle", 1),
            ("uptime", 2),
            ("stop", 1),
            ("reason", 2),
            ("rtt", 2),
        ] {
            let sort = Sort::named(name).expect("there is one");
            let least = all
                .iter()
                .min_by_key(|(figures, ended)| sort.rank(figures, Some(*ended), base, at(50)));
            assert_eq!(least.map(|(figures, _)| figures.cid), Some(first), "{name}");
        }
        assert_eq!(Sort::names().count(), 14);
        assert_eq!(Sort::named("CID"), None);
    }
}
