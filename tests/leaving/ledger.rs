//! The published messages and their fates.

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Client, Frame};
use crate::workers::Placed;

/// How long a message may take before it counts as lost.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// How often each number arrived. Each message has its own number.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<u16>>>);

impl Ledger {
    fn times(&self) -> MutexGuard<'_, Vec<u16>> {
        self.0.lock().expect("no panic with the lock")
    }

    /// Returns a number for the next message.
    pub(crate) fn issue(&self) -> usize {
        let mut times = self.times();
        times.push(0);
        times.len() - 1
    }

    pub(crate) fn issued(&self) -> usize {
        self.times().len()
    }

    pub(crate) fn came(&self, number: usize) {
        let mut times = self.times();
        times[number] = times[number].saturating_add(1);
    }

    /// Returns how many have not arrived yet.
    fn missing(&self) -> usize {
        let times = self.times();
        times.iter().filter(|times| **times == 0).count()
    }

    /// Returns how many arrived more than once.
    fn doubled(&self) -> usize {
        let times = self.times();
        times.iter().filter(|times| **times > 1).count()
    }

    pub(crate) fn expect_none_twice(&self) {
        assert_eq!(self.doubled(), 0, "of {} came twice", self.issued());
    }

    /// Waits until each number has arrived, and asserts that it was once.
    pub(crate) fn expect_each_once(&self, told: &str) {
        let deadline = Instant::now() + ON_ITS_WAY;
        while self.missing() > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        let (missing, doubled, issued) = (self.missing(), self.doubled(), self.issued());
        assert!(
            missing == 0 && doubled == 0,
            "{missing} of {issued} lost, {doubled} came twice; {told}"
        );
    }
}

/// Returns the number in a payload.
pub(crate) fn number_in(payload: &[u8]) -> usize {
    let text = std::str::from_utf8(payload).expect("digits");
    let digits = text.trim_end_matches('.');
    digits.parse().expect("a number")
}

/// A connection with a thread that reads it.
pub(crate) struct Reading {
    /// For sending on the connection.
    pub(crate) client: Client,
    reader: Option<JoinHandle<()>>,
}

impl Reading {
    /// Calls `take` with each frame that arrives.
    pub(crate) fn start(mut placed: Placed, mut take: impl FnMut(Frame) + Send + 'static) -> Self {
        // A connection may get nothing for a long time.
        let untimed = placed.stream.set_read_timeout(None);
        untimed.expect("a timeout can be turned off");
        let client = placed.writing_half();
        let reader = thread::spawn(move || {
            while let Some(frame) = placed.frame() {
                take(frame);
            }
        });
        Self {
            client,
            reader: Some(reader),
        }
    }

    /// Panics if the server has closed the connection, because the counts would then say nothing
    /// about the leavers.
    pub(crate) fn expect_goes_on(&self) {
        let ended = self.reader.as_ref().is_some_and(JoinHandle::is_finished);
        assert!(!ended, "the server has ended a connection that is read");
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // The reading thread ends then.
        let _ = self.client.stream.shutdown(std::net::Shutdown::Both);
        let ended = self.reader.take().expect("taken here alone").join();
        assert!(ended.is_ok() || thread::panicking(), "the reader panicked");
    }
}
