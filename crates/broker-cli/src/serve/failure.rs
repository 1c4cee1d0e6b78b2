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
    #[error("cannot resolve the host {host}: {source}; write an address or a name that resolves")]
    Host { host: String, source: io::Error },
    #[error("websocket.allowed_origins: {0}")]
    Origin(BadOrigin),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("--name {0:?} has a space in it, which a hub (--leaf) refuses; choose another name")]
    LeafName(String),
    #[error("--leaf {given:?}: {why}; give nats-leaf://USER:PASSWORD@HOST:PORT")]
    LeafUrl { given: String, why: &'static str },
    #[error("--lame-duck-grace-period ({0} s) must be shorter than --lame-duck-duration ({1} s)")]
    LameDuck(f64, f64),
    #[error("cannot start the log: {0}")]
    Log(io::Error),
    #[error("cannot open the log file {}: {source}; choose another with --log", path.display())]
    LogFile { path: PathBuf, source: io::Error },
    #[error("cannot write the pid file {}: {source}; choose another with --pid", path.display())]
    PidFile { path: PathBuf, source: io::Error },
    #[error("cannot write the ports file to {}: {source}; choose another folder with --ports_file_dir", path.display())]
    PortsFile { path: PathBuf, source: io::Error },
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    #[error(transparent)]
    Reload(#[from] ReloadError),
    #[error(transparent)]
    Server(#[from] ServerError),
}
