//! What a build of this program is, in its own words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which C library a build has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What the others are compared with.
    Glibc,
    /// As Rust brings it.
    StockMusl,
    /// With fast-musl, and jemalloc for C and Rust.
    FastMusl,
}

impl Kind {
    /// All of them, in the order in which they are shown and run.
    pub const ALL: [Self; 3] = [Self::Glibc, Self::StockMusl, Self::FastMusl];

    /// That of this executable.
    #[must_use]
    pub fn this() -> Self {
        match (cfg!(target_env = "gnu"), cfg!(feature = "fast")) {
            (true, _) => Self::Glibc,
            (false, false) => Self::StockMusl,
            (false, true) => Self::FastMusl,
        }
    }

    /// What makes a build of it.
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

/// What a build says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Its C library.
    pub kind: Kind,
    /// The version of that, where it can be told: musl has no function for it.
    pub version: Option<String>,
}

impl Build {
    /// This executable.
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
    /// Which one.
    pub build: Build,
    /// Their names.
    pub rows: Vec<String>,
}

/// What a build measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Which one.
    pub build: Build,
    /// Its times.
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
