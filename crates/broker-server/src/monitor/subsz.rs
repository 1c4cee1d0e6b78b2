//! `/subsz`: the subscriptions, with nats-server's field names.

use std::sync::Arc;
use std::time::SystemTime;

use broker_protocol::{is_literal, is_valid};
use serde_json::{Value, json};

use super::super::cache::CacheFigures;
use super::super::inspect::{Answer, Question};
use super::super::shared::Shared;
use super::asking::{Asking, Refusal, Text};
use super::connz::{ACCOUNT, DEFAULT_LIMIT, MAX_LISTED, detail};
use super::query::{BadQuery, Query};
use super::time::timestamp;

/// Returns the page. Without `subs`, or without subscriptions to list, it contains only statistics,
/// as in nats-server.
pub(super) fn subsz(query: &Query, shared: &Shared, room: usize) -> Result<String, Refusal> {
    let is_listed = query.flag("subs")?;
    let offset = query.count("offset")?;
    let limit = match query.count("limit")? {
        0 => DEFAULT_LIMIT,
        limit => limit,
    };
    let test = test(query)?;
    let is_other_account = query.get("acc").is_some_and(|name| name != ACCOUNT);
    let asking = Asking::new(shared)?;
    let mut figures = if is_other_account {
        figures(&CacheFigures::default(), 0, 0, (0, 0))
    } else {
        all_figures(&asking)?
    };
    let mut list = List {
        asking,
        test,
        left_out: offset,
        left: limit,
        count: 0,
        text: Text::new(room),
    };
    if is_listed && !is_other_account {
        list.fill()?;
    }
    if list.count == 0 {
        return Ok(format!("{figures:#}\n"));
    }
    figures["server_id"] = shared.settings().info.server_id.clone().into();
    figures["now"] = timestamp(SystemTime::now()).into();
    figures["total"] = list.count.into();
    figures["offset"] = offset.into();
    figures["limit"] = limit.into();
    Ok(list.text.within(&figures, "subscriptions_list") + "\n")
}

/// Returns the subject whose matching subscriptions the query selects.
fn test(query: &Query) -> Result<Option<Arc<[u8]>>, BadQuery> {
    let Some(test) = query.get("test") else {
        return Ok(None);
    };
    let bytes = test.as_bytes();
    if is_valid(bytes) && is_literal(bytes) {
        Ok(Some(bytes.into()))
    } else {
        Err(BadQuery::Test(test.to_owned()))
    }
}

fn all_figures(asking: &Asking) -> Result<Value, Refusal> {
    let questions = asking.workers().map(|worker| (worker, Question::Cache));
    let mut cache = CacheFigures::default();
    asking.ask(questions, |_, answer| {
        if let Answer::Cache(more) = answer {
            cache.subjects += more.subjects;
            cache.misses += more.misses;
            cache.fanout += more.fanout;
            cache.max_fanout = cache.max_fanout.max(more.max_fanout);
        }
        Ok(None)
    })?;
    let counters = asking.shared.counters();
    let changes = asking.shared.routes.changes();
    Ok(figures(
        &cache,
        counters.subscriptions,
        counters.in_msgs,
        changes,
    ))
}

/// Returns the statistics by name. Each message is one match, of `matches` in all.
fn figures(
    cache: &CacheFigures,
    subscriptions: u64,
    matches: u64,
    (inserts, removes): (u64, u64),
) -> Value {
    json!({
        "num_subscriptions": subscriptions,
        "num_cache": cache.subjects,
        "num_inserts": inserts,
        "num_removes": removes,
        "num_matches": matches,
        "cache_hit_rate": ratio(matches.saturating_sub(cache.misses), matches),
        "max_fanout": cache.max_fanout,
        "avg_fanout": ratio(cache.fanout, cache.subjects),
    })
}

#[allow(
    clippy::cast_precision_loss,
    reason = "the value is only shown to people"
)]
fn ratio(part: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        part as f64 / of as f64
    }
}

/// The list in construction.
struct List<'a> {
    asking: Asking<'a>,
    test: Option<Arc<[u8]>>,
    left_out: usize,
    left: usize,
    count: usize,
    text: Text,
}

impl List<'_> {
    /// Asks one worker after the other, until the list is complete.
    fn fill(&mut self) -> Result<(), Refusal> {
        let workers: Vec<_> = self.asking.workers().collect();
        for worker in workers {
            let mut from = Some((0, 0));
            while let Some(place) = from.take()
                && self.left > 0
            {
                from = self.ask(worker, place)?;
            }
        }
        Ok(())
    }

    /// Asks for some subscriptions. Returns where to continue.
    fn ask(&mut self, worker: usize, from: (usize, u32)) -> Result<Option<(usize, u32)>, Refusal> {
        let question = Question::Subscriptions {
            only: None,
            test: self.test.clone(),
            from,
            skip: self.left_out,
            most: self.left.min(MAX_LISTED),
        };
        let (mut listed, mut skipped, mut next) = (Vec::new(), 0, None);
        self.asking.ask([(worker, question)], |_, answer| {
            if let Answer::Subscriptions {
                listed: some,
                skipped: so_many,
                next: place,
            } = answer
            {
                (listed, skipped, next) = (some, so_many, place);
            }
            Ok(None)
        })?;
        self.left_out -= skipped;
        self.left -= listed.len();
        self.count += listed.len();
        for one in &listed {
            let mut row = detail(one);
            row["account"] = ACCOUNT.into();
            self.text.add_row(&row.to_string())?;
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statistics_follow_from_the_counters() {
        let cache = CacheFigures {
            subjects: 4,
            misses: 10,
            max_fanout: 7,
            fanout: 10,
        };
        let all = figures(&cache, 5, 100, (8, 3));
        assert_eq!(all["cache_hit_rate"], 0.9);
        assert_eq!(all["avg_fanout"], 2.5);
        assert_eq!([&all["num_inserts"], &all["num_removes"]], [8, 3]);
        let none = figures(&CacheFigures::default(), 0, 0, (0, 0));
        assert_eq!([&none["cache_hit_rate"], &none["avg_fanout"]], [0.0, 0.0]);
    }

    #[test]
    fn a_subject_to_test_has_no_wildcards() {
        let test = |text: &str| test(&Query::parse(text).expect("it is a query"));
        assert_eq!(test(""), Ok(None));
        assert_eq!(test("test=a.b"), Ok(Some(b"a.b"[..].into())));
        for bad in ["a.*", ">", "a..b", "a.", "a%0Ab"] {
            assert!(test(&format!("test={bad}")).is_err(), "{bad}");
        }
    }
}
