//! The file with the URLs of a server, for whoever started it at any free port.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use broker_server::Handle;
use serde_json::json;

/// The file, for as long as the server serves.
#[derive(Debug)]
pub(crate) struct PortsFile(PathBuf);

impl PortsFile {
    /// Writes it into `folder`, as `broker_PID.ports`: JSON as nats-server has it.
    pub(crate) fn write(folder: &Path, server: &Handle) -> io::Result<Self> {
        let path = folder.join(format!("broker_{}.ports", std::process::id()));
        let monitoring = server.monitor_address();
        let ports = json!({
            "nats": [server.url()],
            "monitoring": monitoring.map(|address| [format!("http://{address}")]),
        });
        // Whoever waits for the file shall find all of it.
        let half = path.with_extension("ports-half");
        fs::write(&half, ports.to_string())?;
        fs::rename(&half, &path)?;
        Ok(Self(path))
    }

    /// Removes it.
    pub(crate) fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!("cannot remove {}: {error}", self.0.display());
        }
    }
}
