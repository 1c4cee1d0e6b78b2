//! Vendored crates, by name and version.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files;

pub(crate) struct Crate {
    pub(crate) folder: PathBuf,
    pub(crate) has_build_script: bool,
    /// The text of its licence, by its path, where the manifest names it.
    pub(crate) licence_file: Option<String>,
}

pub(crate) struct Crates(BTreeMap<(String, String), Crate>);

impl Crates {
    /// Reads what `cargo vendor` made.
    pub(crate) fn read(folders: &[PathBuf]) -> Result<Self> {
        let mut found = BTreeMap::new();
        for folder in folders {
            for folder in files::entries(folder)? {
                let manifest = folder.join("Cargo.toml");
                if !manifest.is_file() {
                    continue;
                }
                let package = package(&manifest)?;
                let field = |name: &str| package.get(name).and_then(toml::Value::as_str);
                // Published manifests name a script by its path, or have `false`.
                let has_build_script = match package.get("build") {
                    None => folder.join("build.rs").exists(),
                    Some(build) => build.is_str(),
                };
                let licence_file = field("license-file").map(str::to_owned);
                let key = (
                    field("name").unwrap_or("").to_owned(),
                    field("version").unwrap_or("").to_owned(),
                );
                found.insert(
                    key,
                    Crate {
                        folder,
                        has_build_script,
                        licence_file,
                    },
                );
            }
        }
        Ok(Self(found))
    }

    pub(crate) fn get(&self, name: &str, version: &str) -> Option<&Crate> {
        self.0.get(&(name.to_owned(), version.to_owned()))
    }
}

/// The `[package]` of a manifest.
fn package(manifest: &Path) -> Result<toml::Table> {
    let text = String::from_utf8_lossy(&files::read(manifest)?).into_owned();
    let mut table: toml::Table = toml::from_str(&text).map_err(|source| Error::Manifest {
        path: manifest.into(),
        source: Box::new(source),
    })?;
    match table.remove("package") {
        Some(toml::Value::Table(package)) => Ok(package),
        _ => Ok(toml::Table::new()),
    }
}
