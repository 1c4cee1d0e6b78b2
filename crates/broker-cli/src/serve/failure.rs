//! Why the program ends with a failure.

use std::io;
use std::path::PathBuf;

use broker_config::Problems;
use broker_server::{BadOrigin, ReloadError, ServerError};

use super::secrets::SecretError;

/// Why the program ends with a failure.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    File(#[from] Problems),
    #[error("cannot listen at {host}: {source}; write an address, or a name that has one")]
    Host { host: String, source: io::Error },
    #[error("websocket.allowed_origins: {0}")]
    Origin(BadOrigin),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("--name {0:?} has a space in it, which a hub (--leaf) does not take; write another")]
    LeafName(String),
    #[error("--leaf {given:?}: {why}; give nats-leaf://USER:PASSWORD@HOST:PORT")]
    LeafUrl { given: String, why: &'static str },
    #[error(
        "--lame-duck-grace-period ({0} s) is not less than --lame-duck-duration ({1} s); make one shorter or the other longer"
    )]
    LameDuck(f64, f64),
    #[error("cannot start the log: {0}")]
    Log(io::Error),
    #[error("cannot open the log file {}: {source}; choose another with --log", path.display())]
    LogFile { path: PathBuf, source: io::Error },
    #[error("cannot write the pid file {}: {source}; choose another with --pid", path.display())]
    PidFile { path: PathBuf, source: io::Error },
    #[error("cannot write the file of ports_file_dir into {}: {source}; write another folder", path.display())]
    PortsFile { path: PathBuf, source: io::Error },
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    #[error(transparent)]
    Reload(#[from] ReloadError),
    #[error(transparent)]
    Server(#[from] ServerError),
}
