//! What the monitor asks workers of their connections, and their answers.
//!
//! A worker never waits for the monitor, and no question takes it long: it looks at a
//! bounded number of places and tells where the next question has to go on.

mod question;
mod sort;

pub(crate) use question::{Answer, Asked, Filter, Found, Listed, Question};
pub(crate) use sort::Sort;
