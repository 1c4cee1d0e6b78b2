//! Describes the running process, from observation where possible.
//!
//! The values describe the process itself, not how its build was configured:
//! the C library's version is that of the loaded file, linkage comes from the
//! executable's program headers, and jemalloc's options are those in effect.
//! A value that cannot be found is `None`, with the reason in [`Info::notes`].

#![forbid(unsafe_code)]

mod allocator;
#[cfg(target_os = "linux")]
mod glibc;
#[cfg(target_os = "linux")]
mod linkage;
#[cfg(target_os = "linux")]
mod maps;
mod probe;
mod text;

pub use allocator::Allocator;
pub use probe::ProbeError;

use broker_runtime::GlobalAllocator;
use probe::Notes;
use serde::Serialize;

/// A description of the running process.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Info {
    /// Version of this package.
    pub version: &'static str,
    /// Target triple of the build.
    pub target: &'static str,
    /// The C library in use.
    pub libc: Libc,
    /// Whether the executable runs without a dynamic loader.
    pub static_linked: Option<bool>,
    /// Whether the executable can be loaded at any address.
    pub pie: Option<bool>,
    /// The memory allocator in use.
    pub allocator: Allocator,
    /// Size of a memory page in bytes.
    pub page_size: Option<usize>,
    /// How many threads can run at the same time, within the limits of cgroups
    /// and CPU affinity.
    pub cpus: Option<usize>,
    /// The running kernel.
    pub kernel: Option<Kernel>,
    /// Why each missing value is missing.
    pub notes: Vec<String>,
}

/// The C library a process uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Libc {
    /// `glibc`, `musl`, or the C library of another system.
    pub name: Option<&'static str>,
    /// Version of the loaded library.
    pub version: Option<String>,
}

/// The kernel, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Kernel {
    /// Its name, such as `Linux`.
    pub sysname: String,
    /// Its release.
    pub release: String,
    /// The hardware, such as `x86_64`.
    pub machine: String,
}

impl Info {
    /// Describes the running process.
    ///
    /// `global` is the allocator that the calling program installed, which a
    /// library cannot find out.
    #[must_use]
    pub fn collect(global: GlobalAllocator) -> Self {
        let mut notes = Notes::default();
        let libc = libc(&mut notes);
        let (static_linked, pie) = linkage(&mut notes);
        let allocator = allocator::describe(global, &libc, &mut notes);
        let page_size = notes.keep("page_size", page_size());
        let cpus = std::thread::available_parallelism()
            .map(std::num::NonZero::get)
            .map_err(|source| ProbeError::System {
                what: "count the CPUs",
                source,
            });
        let cpus = notes.keep("cpus", cpus);
        let kernel = notes.keep("kernel", kernel());
        Self {
            version: env!("CARGO_PKG_VERSION"),
            target: env!("BROKER_TARGET"),
            libc,
            static_linked,
            pie,
            allocator,
            page_size,
            cpus,
            kernel,
            notes: notes.into_vec(),
        }
    }
}

fn libc(notes: &mut Notes) -> Libc {
    let name = if cfg!(target_env = "musl") {
        Some("musl")
    } else if cfg!(all(target_os = "linux", target_env = "gnu")) {
        Some("glibc")
    } else if cfg!(target_vendor = "apple") {
        Some("libSystem")
    } else {
        None
    };
    if name.is_none() {
        notes.add(
            "libc.name",
            "the name of this system's C library is not known",
        );
    }
    let version = notes.keep("libc.version", libc_version());
    Libc { name, version }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn libc_version() -> Result<String, ProbeError> {
    glibc::loaded_version()
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn libc_version() -> Result<String, ProbeError> {
    Err(ProbeError::Unavailable(if cfg!(target_env = "musl") {
        "musl has no version at run time"
    } else {
        "not supported for this system's C library"
    }))
}

#[cfg(target_os = "linux")]
fn linkage(notes: &mut Notes) -> (Option<bool>, Option<bool>) {
    let found = linkage::of_this_process();
    match found {
        Ok(linkage) => (Some(linkage.static_linked), Some(linkage.pie)),
        Err(error) => {
            notes.add("static_linked, pie", &probe::chain(&error));
            (None, None)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn linkage(notes: &mut Notes) -> (Option<bool>, Option<bool>) {
    notes.add("static_linked, pie", "supported on Linux only");
    (None, None)
}

// A `Result` on every system, so the caller is the same for all.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
fn page_size() -> Result<usize, ProbeError> {
    Ok(rustix::param::page_size())
}

#[cfg(not(unix))]
fn page_size() -> Result<usize, ProbeError> {
    Err(ProbeError::Unavailable("supported on Unix only"))
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
fn kernel() -> Result<Kernel, ProbeError> {
    let uname = rustix::system::uname();
    let owned = |field: &std::ffi::CStr| field.to_string_lossy().into_owned();
    Ok(Kernel {
        sysname: owned(uname.sysname()),
        release: owned(uname.release()),
        machine: owned(uname.machine()),
    })
}

#[cfg(not(unix))]
fn kernel() -> Result<Kernel, ProbeError> {
    Err(ProbeError::Unavailable("supported on Unix only"))
}
