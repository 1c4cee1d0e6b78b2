//! `/connz`: the connections, with nats-server's field names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde_json::{Map, Value, json};

use super::super::closed::Closed;
use super::super::inspect::{Answer, Filter, Found, Listed, Question, Sort};
use super::super::key::ConnectionKey;
use super::super::row::Row;
use super::super::shared::Shared;
use super::asking::{Asking, Refusal, Text};
use super::query::{BadQuery, Query};
use super::time::{Clock, duration, round_trip, timestamp};

/// Rows in a response without `limit`, as in nats-server.
pub(super) const DEFAULT_LIMIT: usize = 1024;

/// The account of all clients.
pub(super) const ACCOUNT: &str = "$G";

/// Rows per question to a worker.
const MAX_ROWS: usize = 256;

/// Subscriptions per question to a worker.
pub(super) const MAX_LISTED: usize = 1024;

/// The selected connection states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    All,
}

/// How much to show of subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subscriptions {
    Count,
    Subjects,
    Detail,
}

/// The options of a query.
#[derive(Debug)]
struct Options {
    sort: Sort,
    auth: bool,
    subscriptions: Subscriptions,
    offset: usize,
    limit: usize,
    state: State,
    filter: Filter,
    /// The query selects another account, which has no clients.
    is_other_account: bool,
}

impl Options {
    fn new(query: &Query) -> Result<Self, BadQuery> {
        let state = state(query)?;
        let sort = sort(query, state)?;
        let is_detail = |text: &str| text.eq_ignore_ascii_case("detail");
        let subscriptions = if query.get("subs").is_some_and(is_detail) {
            Subscriptions::Detail
        } else if query.flag("subs")? {
            Subscriptions::Subjects
        } else {
            Subscriptions::Count
        };
        let cid = Some(query.number("cid")?).filter(|&cid| cid > 0);
        let limit = match query.count("limit")? {
            0 => DEFAULT_LIMIT,
            limit => limit,
        };
        Ok(Self {
            sort,
            auth: query.flag("auth")?,
            subscriptions,
            offset: query.count("offset")?,
            limit: if cid.is_some() { 1 } else { limit },
            state,
            filter: Filter {
                cid,
                user: query.get("user").map(Arc::from),
            },
            is_other_account: query.get("acc").is_some_and(|name| name != ACCOUNT),
        })
    }
}

fn state(query: &Query) -> Result<State, BadQuery> {
    let given = query.get("state").unwrap_or("open").to_ascii_lowercase();
    match &given[..] {
        "open" => Ok(State::Open),
        "closed" => Ok(State::Closed),
        "any" | "all" => Ok(State::All),
        _ => Err(BadQuery::Choice {
            name: "state",
            known: vec!["open", "closed", "all"],
            value: given,
        }),
    }
}

fn sort(query: &Query, state: State) -> Result<Sort, BadQuery> {
    let Some(name) = query.get("sort") else {
        return Ok(Sort::default());
    };
    let sort = Sort::named(name).ok_or_else(|| BadQuery::Choice {
        name: "sort",
        known: Sort::names().collect(),
        value: name.to_owned(),
    })?;
    if sort.needs_closed() && state != State::Closed {
        return Err(BadQuery::NeedsClosed(name.to_owned()));
    }
    Ok(sort)
}

/// A connection that the query selects.
#[derive(Debug)]
enum Connection {
    Open(ConnectionKey),
    Closed(Arc<Closed>),
}

/// Returns the page.
pub(super) fn connz(
    query: &Query,
    shared: &Shared,
    clock: &Clock,
    room: usize,
) -> Result<String, Refusal> {
    let options = Options::new(query)?;
    let now = Instant::now();
    let asking = Asking::new(shared)?;
    let (mut all, total) = if options.is_other_account {
        (Vec::new(), 0)
    } else {
        find(&asking, &options, now)?
    };
    all.sort_unstable_by_key(|&(rank, cid, _)| (rank, cid));
    let page = all.into_iter().skip(options.offset).take(options.limit);
    let page: Vec<_> = page.map(|(_, _, connection)| connection).collect();
    let mut rows = Rows {
        asking,
        options: &options,
        clock,
        now,
        text: Text::new(room),
        count: 0,
    };
    for some in page.chunks(MAX_ROWS) {
        rows.add(some)?;
    }
    let others = json!({
        "server_id": shared.settings().info.server_id,
        "now": timestamp(SystemTime::now()),
        "num_connections": rows.count,
        "total": total,
        "offset": options.offset,
        "limit": options.limit,
    });
    Ok(rows.text.within(&others, "connections") + "\n")
}

/// Connections with their ranks and numbers.
type Ranked = Vec<(u64, u64, Connection)>;

/// Returns the selected connections, and their total number.
fn find(asking: &Asking, options: &Options, now: Instant) -> Result<(Ranked, usize), Refusal> {
    let (sort, filter) = (options.sort, &options.filter);
    let base = asking.shared.started;
    let mut all = Vec::new();
    let mut total = 0;
    if options.state != State::Closed {
        let question = |from| Question::Clients {
            filter: filter.clone(),
            sort,
            base,
            from,
        };
        let first = asking.workers().map(|worker| (worker, question(0)));
        asking.ask(first, |_, answer| {
            let Answer::Clients { found, seen, next } = answer else {
                return Ok(None);
            };
            total += seen;
            let open = |Found { rank, cid, key }| (rank, cid, Connection::Open(key));
            all.extend(found.into_iter().map(open));
            Ok(next.map(question))
        })?;
    }
    if options.state != State::Open {
        let closed = asking.shared.closed.all();
        total += closed.len();
        for one in closed {
            let figures = one.row.figures;
            let about = one.row.about.as_ref();
            if filter.takes(figures.cid, about.map_or("", |about| &about.user)) {
                let rank = sort.rank(&figures, Some((one.stop, one.state)), base, now);
                all.push((rank, figures.cid, Connection::Closed(one)));
            }
        }
    }
    Ok((all, total))
}

/// The rows of a response in construction.
struct Rows<'a> {
    asking: Asking<'a>,
    options: &'a Options,
    clock: &'a Clock,
    now: Instant,
    text: Text,
    count: usize,
}

impl Rows<'_> {
    /// Adds rows for these connections, except those that were closed after they were found.
    fn add(&mut self, connections: &[Connection]) -> Result<(), Refusal> {
        let mut of_worker = BTreeMap::<usize, Vec<ConnectionKey>>::new();
        for connection in connections {
            if let Connection::Open(key) = connection {
                of_worker.entry(key.worker()).or_default().push(*key);
            }
        }
        let mut open = BTreeMap::new();
        let questions = of_worker.into_iter();
        let questions = questions.map(|(worker, keys)| (worker, Question::Rows(keys)));
        self.asking.ask(questions, |_, answer| {
            if let Answer::Rows(rows) = answer {
                open.extend(rows);
            }
            Ok(None)
        })?;
        for connection in connections {
            match connection {
                Connection::Closed(closed) => {
                    let row = Value::Object(self.row(&closed.row, Some(closed)));
                    self.add_row(&row.to_string())?;
                }
                Connection::Open(key) => {
                    if let Some(row) = open.get(key) {
                        let row = self.open_row(*key, row)?;
                        self.add_row(&row)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn add_row(&mut self, row: &str) -> Result<(), Refusal> {
        self.count += 1;
        self.text.add_row(row)
    }

    fn row(&self, row: &Row, closed: Option<&Arc<Closed>>) -> Map<String, Value> {
        let Row {
            figures,
            address,
            about,
            tls,
            websocket,
        } = row;
        let tally = figures.tally;
        let end = closed.map_or(self.now, |closed| closed.stop);
        let since = |at| duration(end.saturating_duration_since(at));
        let about = about.as_deref();
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(String::from);
        let user = about.filter(|_| self.options.auth);
        let all = object! {
            "cid": figures.cid,
            "kind": "Client",
            "type": if *websocket { "websocket" } else { "nats" },
            "ip": address.ip().to_string(),
            "port": address.port(),
            "start": self.clock.timestamp(figures.start),
            "last_activity": self.clock.timestamp(figures.last),
            "stop": closed.map(|closed| self.clock.timestamp(closed.stop)),
            "reason": closed.map(|closed| closed.state.text()),
            "rtt": round_trip(figures.rtt),
            "uptime": since(figures.start),
            "idle": since(figures.last),
            "pending_bytes": figures.pending,
            "in_msgs": tally.in_msgs,
            "out_msgs": tally.out_msgs,
            "in_bytes": tally.in_bytes,
            "out_bytes": tally.out_bytes,
            "subscriptions": figures.subscriptions,
            "name": text(about.map(|about| &*about.name)),
            "lang": text(about.map(|about| &*about.lang)),
            "version": text(about.map(|about| &*about.version)),
            "tls_version": tls.map(|tls| tls.version),
            "tls_cipher_suite": tls.map(|tls| tls.cipher),
            "authorized_user": text(user.map(|about| &*about.user)),
        };
        let Value::Object(mut all) = all else {
            return Map::new();
        };
        // Missing values are left out.
        all.retain(|_, value| !value.is_null());
        all
    }

    /// Returns the row of an open connection, with the requested details of its subscriptions.
    fn open_row(&self, key: ConnectionKey, row: &Row) -> Result<String, Refusal> {
        let shown = Value::Object(self.row(row, None));
        let (name, is_detail) = match self.options.subscriptions {
            Subscriptions::Subjects => ("subscriptions_list", false),
            Subscriptions::Detail => ("subscriptions_list_detail", true),
            Subscriptions::Count => return Ok(shown.to_string()),
        };
        if row.figures.subscriptions == 0 {
            return Ok(shown.to_string());
        }
        let question = |from| Question::Subscriptions {
            only: Some(key),
            test: None,
            from,
            skip: 0,
            most: MAX_LISTED,
        };
        let mut list = self.text.part();
        self.asking
            .ask([(key.worker(), question((0, 0)))], |_, answer| {
                let Answer::Subscriptions { listed, next, .. } = answer else {
                    return Ok(None);
                };
                for one in listed {
                    let one = if is_detail {
                        detail(&one)
                    } else {
                        String::from_utf8_lossy(&one.subject).into()
                    };
                    list.add_row(&one.to_string())?;
                }
                Ok(next.map(question))
            })?;
        if list.is_empty() {
            return Ok(shown.to_string());
        }
        Ok(list.within(&shown, name))
    }
}

/// Returns a subscription as nats-server shows it.
pub(super) fn detail(listed: &Listed) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut all = json!({
        "subject": text(&listed.subject),
        "sid": text(&listed.sid),
        "msgs": listed.delivered,
        "cid": listed.cid,
    });
    if let Some(queue) = &listed.queue {
        all["qgroup"] = text(queue).into();
    }
    if let Some(max) = listed.max {
        all["max"] = max.into();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<Options, BadQuery> {
        Options::new(&Query::parse(text).expect("it is a query"))
    }

    #[test]
    fn a_query_selects_rows() {
        let all = options("").expect("nothing is wrong");
        assert_eq!((all.sort, all.state), (Sort::Cid, State::Open));
        assert_eq!((all.offset, all.limit), (0, DEFAULT_LIMIT));
        assert_eq!(all.subscriptions, Subscriptions::Count);
        let all = options("subs=DETAIL&state=ANY&auth=1&cid=7&limit=9&acc=x&sort=idle");
        let all = all.expect("nothing is wrong");
        assert_eq!((all.sort, all.state), (Sort::Idle, State::All));
        assert_eq!((all.filter.cid, all.limit), (Some(7), 1));
        assert_eq!(all.subscriptions, Subscriptions::Detail);
        assert!(all.auth && all.is_other_account);
        let all = options("acc=$G&subs=1&state=closed&sort=stop").expect("nothing is wrong");
        assert_eq!(all.subscriptions, Subscriptions::Subjects);
        assert!(!all.is_other_account && !all.auth);
    }

    #[test]
    fn bad_queries_are_rejected() {
        for (text, told) in [
            ("sort=age", "sort must be one of cid, start, subs"),
            ("sort=stop", "sort=stop requires state=closed"),
            ("sort=reason&state=all", "sort=reason requires state=closed"),
            (
                "state=gone",
                "state must be one of open, closed, all, not \"gone\"",
            ),
            ("subs=details", "subs must be true, false"),
            ("auth=2", "auth must be true, false"),
            ("cid=x", "cid must be an integer"),
            ("limit=x", "limit must be an integer"),
            ("offset=1e3", "offset must be an integer"),
        ] {
            let error = options(text).expect_err("it is wrong").to_string();
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }
}
