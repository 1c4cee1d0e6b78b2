//! The monitor's questions to workers about their connections, and the answers.
//!
//! A worker never waits for the monitor, and no question takes long: each answer examines a bounded
//! number of slots and says where the next question must continue.

mod question;
mod sort;

pub(crate) use question::{Answer, Asked, Filter, Found, Listed, Question};
pub(crate) use sort::Sort;
