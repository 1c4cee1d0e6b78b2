//! The files that the fuzzer starts from: what Broker makes of them, and what nats-server
//! does, which the variable `HUB` names:
//! `HUB=/usr/sbin/nats-server cargo test -p broker-config -- --include-ignored`.
//!
//! The name of a file says what becomes of it:
//!
//! | name | Broker | `nats-server -t` |
//! |---|---|---|
//! | `accepted-*` | takes it | takes it |
//! | `warned-*` | takes it with a warning | takes it |
//! | `refused-*` | refuses it | refuses it |
//! | `stricter-*` | refuses it | takes it |
//! | `milder-*` | takes it | refuses it |

mod files;
mod fuzzer;
