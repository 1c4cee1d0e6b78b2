//! The C library of a build, and the JSON that builds exchange.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A build's C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The baseline.
    Glibc,
    /// musl as shipped with Rust.
    StockMusl,
    /// musl with fast-musl, and jemalloc for C and Rust.
    FastMusl,
}

impl Kind {
    /// All kinds, in the order in which they are shown and run.
    pub const ALL: [Self; 3] = [Self::Glibc, Self::StockMusl, Self::FastMusl];

    /// Returns this executable's kind.
    #[must_use]
    pub fn this() -> Self {
        match (cfg!(target_env = "gnu"), cfg!(feature = "fast")) {
            (true, _) => Self::Glibc,
            (false, false) => Self::StockMusl,
            (false, true) => Self::FastMusl,
        }
    }

    /// Returns the command that makes such a build.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Glibc => "cargo build --release -p survey --target x86_64-unknown-linux-gnu",
            Self::StockMusl => "cargo build --release -p survey --target x86_64-unknown-linux-musl",
            Self::FastMusl => {
                "cargo build --release -p survey --target x86_64-unknown-linux-musl \
                 --features fast --target-dir target/fast"
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Glibc => "glibc",
            Self::StockMusl => "stock musl",
            Self::FastMusl => "fast musl",
        })
    }
}

/// A build's description of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Its C library.
    pub kind: Kind,
    /// The C library's version, if it is known: musl has no function for it.
    pub version: Option<String>,
}

impl Build {
    /// Describes this executable.
    #[must_use]
    pub fn this() -> Self {
        Self {
            kind: Kind::this(),
            version: version(),
        }
    }
}

#[cfg(target_env = "gnu")]
fn version() -> Option<String> {
    // SAFETY: glibc returns a string that is never freed.
    let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    version.to_str().ok().map(str::to_owned)
}

#[cfg(not(target_env = "gnu"))]
fn version() -> Option<String> {
    None
}

/// The rows of a build.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// The build.
    pub build: Build,
    /// The names of its rows.
    pub rows: Vec<String>,
}

/// The measurements of a build.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// The build.
    pub build: Build,
    /// The times of its rows.
    pub rows: Vec<Timed>,
}

/// The time of a row.
#[derive(Debug, Serialize, Deserialize)]
pub struct Timed {
    /// The row.
    pub name: String,
    /// Nanoseconds per call.
    pub nanoseconds: f64,
}
