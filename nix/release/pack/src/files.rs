//! Files, and archives of them that depend on names and contents alone: entries in the order of their names, owned by
//! root, of one date, with the permissions that programs and other files usually have.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::error::{Error, Result, at};

/// The date of every file, in seconds since 1970: as files of the Nix store have it.
const DATE: u64 = 1;
/// Everybody may write in such a folder, and remove what is their own: /tmp.
const STICKY: u32 = 0o1000;

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(at(path))
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(at(path))
}

pub(crate) fn json(path: &Path) -> Result<serde_json::Value> {
    serde_json::from_slice(&read(path)?).map_err(|source| Error::Json {
        path: path.into(),
        source,
    })
}

/// What a folder has, sorted by name.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = fs::read_dir(folder)
        .map_err(at(folder))?
        .map(|entry| entry.map(|entry| entry.path()).map_err(at(folder)))
        .collect::<Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// All files below a folder, sorted by path; links are not followed.
pub(crate) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        let kind = path.symlink_metadata().map_err(at(&path))?;
        if kind.is_dir() {
            found.extend(below(&path)?);
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    // No name and no date in the header.
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    let memory = Path::new("memory");
    encoder.write_all(bytes).map_err(at(memory))?;
    encoder.finish().map_err(at(memory))
}

/// A tar archive of what is in `folder`, below `top` (an empty path for none).
pub(crate) fn tar(folder: &Path, top: &Path) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    if top.as_os_str().is_empty() {
        archive.entries(folder, top)?;
    } else {
        archive.add(folder, top)?;
    }
    archive.finish()
}

/// A tar archive in the making.
pub(crate) struct Archive(Builder<Vec<u8>>);

impl Default for Archive {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl Archive {
    /// Adds a folder; its name ends with a slash.
    pub(crate) fn folder(&mut self, name: &str) -> Result<()> {
        self.append(EntryType::Directory, 0o755, name.as_ref(), &[])
    }

    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.append(EntryType::Regular, 0o644, name.as_ref(), bytes)
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        self.0.into_inner().map_err(at(Path::new("memory")))
    }

    fn append(&mut self, kind: EntryType, mode: u32, name: &Path, bytes: &[u8]) -> Result<()> {
        let mut header = header(kind, mode);
        header.set_size(bytes.len() as u64);
        self.0
            .append_data(&mut header, name, bytes)
            .map_err(at(name))
    }

    fn entries(&mut self, folder: &Path, name: &Path) -> Result<()> {
        for path in entries(folder)? {
            let last = path
                .file_name()
                .ok_or_else(|| Error::NoName(path.clone()))?;
            self.add(&path, &name.join(last))?;
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, name: &Path) -> Result<()> {
        let metadata = path.symlink_metadata().map_err(at(path))?;
        let mode = metadata.permissions().mode();
        if metadata.is_dir() {
            let mode = if mode & STICKY == 0 { 0o755 } else { 0o1777 };
            self.append(EntryType::Directory, mode, &name.join(""), &[])?;
            self.entries(path, name)
        } else if metadata.is_symlink() {
            let target = fs::read_link(path).map_err(at(path))?;
            let mut header = header(EntryType::Symlink, 0o777);
            self.0
                .append_link(&mut header, name, target)
                .map_err(at(path))
        } else if metadata.is_file() {
            let mode = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
            self.append(EntryType::Regular, mode, name, &read(path)?)
        } else {
            Err(Error::Kind(path.into()))
        }
    }
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(DATE);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join("release").join(name);
        fs::create_dir_all(at("tmp")).unwrap();
        fs::set_permissions(at("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::write(at("program"), "elf").unwrap();
        fs::set_permissions(at("program"), fs::Permissions::from_mode(0o500)).unwrap();
        fs::write(at("README"), "read").unwrap();
        fs::set_permissions(at("README"), fs::Permissions::from_mode(0o600)).unwrap();
        symlink("program", at("alias")).unwrap();
        folder
    }

    #[test]
    fn an_archive_has_names_contents_and_usual_permissions() {
        let folder = folder();
        let bytes = tar(&folder.path().join("release"), Path::new("release")).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!(
                    (
                        header.uid().unwrap(),
                        header.gid().unwrap(),
                        header.mtime().unwrap()
                    ),
                    (0, 0, DATE)
                );
                (
                    entry.path().unwrap().display().to_string(),
                    header.mode().unwrap(),
                    entry.size(),
                )
            })
            .collect();
        let expected = [
            ("release/", 0o755, 0),
            ("release/README", 0o644, 4),
            ("release/alias", 0o777, 0),
            ("release/program", 0o755, 3),
            ("release/tmp/", 0o1777, 0),
        ]
        .map(|(name, mode, size)| (name.to_owned(), mode, size));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let pack = |folder: &tempfile::TempDir| {
            gzip(&tar(&folder.path().join("release"), Path::new("")).unwrap()).unwrap()
        };
        let first = folder();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(pack(&first), pack(&folder()));
    }

    #[test]
    fn a_name_longer_than_a_header_holds_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let name = "n".repeat(200);
        fs::write(folder.path().join(&name), "").unwrap();
        let bytes = tar(folder.path(), Path::new("")).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some(name.as_str()));
    }
}
