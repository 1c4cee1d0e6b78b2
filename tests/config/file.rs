//! A configuration file for a test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A temporary folder with files.
pub(crate) struct File {
    folder: PathBuf,
    path: PathBuf,
}

impl File {
    pub(crate) fn new(text: &str) -> Self {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let (process, file) = (std::process::id(), FILES.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(format!("broker-config-{process}-{file}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("broker.conf");
        let file = Self { folder, path };
        file.write(text);
        file
    }

    pub(crate) fn write(&self, text: &str) {
        std::fs::write(&self.path, text).expect("a file");
    }

    /// Writes another file in the same folder.
    pub(crate) fn beside(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().expect("plain letters")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // A leftover folder does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
