//! What can go wrong, with what to do about it.

use std::path::{Path, PathBuf};

use thiserror::Error;

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{path}: {source}")]
    Manifest {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{0} has no name that an archive's top folder could have")]
    NoName(PathBuf),
    #[error("{0} is neither a file, a folder nor a symbolic link: a release has nothing else")]
    Kind(PathBuf),
    #[error("the image's configuration: {0}")]
    Image(String),
    #[error("{0} is no bill of materials of CycloneDX: it has no {1}")]
    Bom(&'static str, &'static str),
    #[error(
        "{name} {version} has no licence text, and its manifest no licence of the SPDX list ({licence}): give its text by `licences.{name} = ./FILE;`"
    )]
    NoLicence {
        name: String,
        version: String,
        licence: String,
    },
    #[error("there is a text for {0}, which the program does not have: leave it out")]
    NeedlessText(String),
    #[error("{name} {version} is in the bill of materials, and not among the vendored crates")]
    NotVendored { name: String, version: String },
}

/// Says which file an error is of.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { path, source }
}
