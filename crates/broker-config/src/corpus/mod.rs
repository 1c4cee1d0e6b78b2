//! The fuzzer's seed files: what Broker makes of them, and what nats-server does with them. The
//! variable `HUB` names nats-server's executable:
//! `HUB=/usr/sbin/nats-server cargo test -p broker-config -- --include-ignored`.
//!
//! The name of a file states the expected result:
//!
//! | name | Broker | `nats-server -t` |
//! |---|---|---|
//! | `accepted-*` | accepts it | accepts it |
//! | `warned-*` | accepts it with a warning | accepts it |
//! | `refused-*` | rejects it | rejects it |
//! | `stricter-*` | rejects it | accepts it |
//! | `milder-*` | accepts it | rejects it |

mod files;
mod fuzzer;
