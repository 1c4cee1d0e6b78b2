//! Numbers that may arrive once each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The numbers that arrived: one bit each, so hours of them take megabytes.
#[derive(Default)]
pub(crate) struct Seen {
    words: Vec<u64>,
    /// How many arrived.
    pub(crate) count: u64,
}

impl Seen {
    /// Inserts a number. Returns whether it is new.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let place = usize::try_from(number / 64).expect("memory for so many");
        let bit = 1 << (number % 64);
        if self.words.len() <= place {
            self.words.resize(place + 1, 0);
        }
        let is_new = self.words[place] & bit == 0;
        self.words[place] |= bit;
        self.count += u64::from(is_new);
        is_new
    }
}

/// Messages with unique numbers.
pub(crate) struct Once {
    /// The singular name of such a message, for texts.
    name: &'static str,
    issued: AtomicU64,
    seen: Mutex<Seen>,
}

impl Once {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            issued: AtomicU64::new(0),
            seen: Mutex::default(),
        }
    }

    /// Returns a number for the next message.
    pub(crate) fn issue(&self) -> u64 {
        self.issued.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }

    /// Records the message whose number `text` begins with.
    pub(crate) fn came(&self, text: &str) -> Result<(), String> {
        let name = self.name;
        let number = text.split(' ').next().and_then(|word| word.parse().ok());
        let Some(number) = number else {
            return Err(format!("{name} without a number: {text:.80}"));
        };
        let mut seen = self.seen.lock().expect("no panic with the lock");
        if seen.insert(number) {
            return Ok(());
        }
        Err(format!("{name} came twice, {number}"))
    }

    /// Returns how many have not arrived, as a text, if there are any.
    pub(crate) fn missing(&self) -> Option<String> {
        let (name, issued) = (self.name, self.issued());
        let count = self.seen.lock().expect("no panic with the lock").count;
        (count < issued).then(|| format!("{name} is missing: {count} of {issued} came"))
    }
}
