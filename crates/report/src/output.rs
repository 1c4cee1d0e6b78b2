//! The folder of a report.
//!
//! An existing report stays until the new one is completely written under
//! other names. A complete report is never replaced by an incomplete one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::NamedTempFile;

/// The file that shows whether a report exists and is complete.
const DATA: &str = "report.json";

/// The folder for an incomplete report if there is a complete one.
const INCOMPLETE: &str = "incomplete";

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("cannot create the folder {}: {source}; choose another with --output", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot write to {}: {source}; choose another folder with --output", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// A folder that can be written to.
#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
}

impl Output {
    /// Creates the folder if necessary, and tries to write to it.
    pub(crate) fn prepare(folder: &Path) -> Result<Self, OutputError> {
        fs::create_dir_all(folder).map_err(|source| OutputError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        // An existing folder may not be writable.
        let mut trial = temporary(folder)?;
        io::Write::write_all(&mut trial, b"trial").map_err(|error| write_error(folder, error))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Writes all files, and returns their folder.
    pub(crate) fn write(
        &self,
        files: &[(String, String)],
        complete: bool,
    ) -> Result<PathBuf, OutputError> {
        let folder = if !complete && self.holds_complete() {
            Self::prepare(&self.folder.join(INCOMPLETE))?.folder
        } else {
            self.folder.clone()
        };
        let mut written = Vec::new();
        for (name, text) in files {
            let mut file = temporary(&folder)?;
            let path = folder.join(name);
            io::Write::write_all(&mut file, text.as_bytes())
                .and_then(|()| file.as_file().sync_all())
                .map_err(|error| write_error(&path, error))?;
            written.push((file, path));
        }
        for (file, path) in written {
            file.persist(&path)
                .map_err(|error| write_error(&path, error.error))?;
        }
        Ok(folder)
    }

    fn holds_complete(&self) -> bool {
        #[derive(Deserialize)]
        struct Data {
            complete: bool,
        }
        fs::read_to_string(self.folder.join(DATA))
            .ok()
            .and_then(|text| serde_json::from_str::<Data>(&text).ok())
            .is_some_and(|data| data.complete)
    }
}

/// Creates a file that is removed unless it is renamed.
fn temporary(folder: &Path) -> Result<NamedTempFile, OutputError> {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new()
        .prefix(".report-")
        // The mode of other files: the default is readable by the owner only.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(|error| write_error(folder, error))
}

fn write_error(path: &Path, source: io::Error) -> OutputError {
    OutputError::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(complete: bool, text: &str) -> Vec<(String, String)> {
        let data = format!(r#"{{"complete":{complete}}}"#);
        let files = [(DATA, data.as_str()), ("report.md", text)];
        files.map(|(n, t)| (n.to_owned(), t.to_owned())).into()
    }

    #[test]
    fn a_complete_report_outlives_an_incomplete_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect(name);
        let output = Output::prepare(folder.path()).expect("it can be written");
        for (complete, text, place) in [
            (false, "first", ""),
            (false, "second", ""),
            (true, "third", ""),
            (false, "fourth", INCOMPLETE),
            (true, "fifth", ""),
        ] {
            let written = output.write(&files(complete, text), complete);
            assert_eq!(written.expect("written"), folder.path().join(place));
            assert_eq!(
                read(format!("{place}/report.md").trim_start_matches('/')),
                text
            );
        }
        assert_eq!(read("incomplete/report.md"), "fourth");
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 3, "temporary files were left");
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        for path in [file.clone(), file.join("below")] {
            let error = Output::prepare(&path).expect_err("no folder").to_string();
            assert!(error.contains("--output"), "{error}");
        }
    }
}
