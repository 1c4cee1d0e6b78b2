//! The files that exist while the server runs.

use broker_config::Options;
use broker_server::Handle;

use super::arguments::Arguments;
use super::failure::Failure;
use super::pid_file::PidFile;
use super::ports_file::PortsFile;

/// The pid file and the ports file, if they are configured.
#[derive(Debug)]
pub(super) struct RunFiles {
    pid: Option<PidFile>,
    ports: Option<PortsFile>,
}

impl RunFiles {
    /// Writes the files that the flags or the configuration file name.
    ///
    /// # Errors
    ///
    /// If one cannot be written. Neither file exists then.
    pub(super) fn write(
        arguments: &Arguments,
        file: &Options,
        server: &Handle,
    ) -> Result<Self, Failure> {
        let mut files = Self {
            pid: None,
            ports: None,
        };
        if let Some(path) = arguments.pid.as_ref().or(file.pid_file.as_ref()) {
            let written = PidFile::write(path).map_err(|source| Failure::PidFile {
                path: path.clone(),
                source,
            });
            files.pid = Some(written?);
        }
        let folder = arguments.nats.ports_file_dir.as_ref();
        if let Some(folder) = folder.or(file.ports_file_dir.as_ref()) {
            match PortsFile::write(folder, server) {
                Ok(ports) => files.ports = Some(ports),
                Err(source) => {
                    files.remove();
                    let path = folder.clone();
                    return Err(Failure::PortsFile { path, source });
                }
            }
        }
        Ok(files)
    }

    /// Removes the files.
    pub(super) fn remove(&self) {
        self.ports.as_ref().inspect(|file| file.remove());
        self.pid.as_ref().inspect(|file| file.remove());
    }
}
