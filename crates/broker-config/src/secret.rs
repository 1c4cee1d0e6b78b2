//! Values that must not appear in logs.

use std::fmt;

/// A password, a token or a seed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

// Secrets do not belong in logs.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
