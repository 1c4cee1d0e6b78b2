//! The ports file: the URLs of a server, for programs that start it at a free port.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use broker_server::Handle;
use serde_json::json;

/// The ports file of a running server.
#[derive(Debug)]
pub(crate) struct PortsFile(PathBuf);

impl PortsFile {
    /// Writes `NAME_PID.ports` in `folder`, in nats-server's JSON format. NAME is the name under
    /// which the program was started.
    pub(crate) fn write(folder: &Path, server: &Handle) -> io::Result<Self> {
        let program = env::args_os().next().map(PathBuf::from);
        let name = program.as_deref().and_then(Path::file_name);
        let name = name.unwrap_or("broker".as_ref()).to_string_lossy();
        let path = folder.join(format!("{name}_{}.ports", std::process::id()));
        let mut ports = json!({ "nats": [server.url()] });
        if let Some(url) = server.monitor_url() {
            ports["monitoring"] = json!([url]);
        }
        if let Some(url) = server.websocket_url() {
            ports["websocket"] = json!([url]);
        }
        // A program that waits for the file must find it complete.
        let half = path.with_extension("ports-half");
        fs::write(&half, ports.to_string())?;
        fs::rename(&half, &path)?;
        Ok(Self(path))
    }

    /// Removes the file.
    pub(crate) fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!("cannot remove {}: {error}", self.0.display());
        }
    }
}
