//! Writes a lock of Debian packages to standard output.

#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use debian_lock::index::{Index, IndexError};
use debian_lock::lock::Lock;
use debian_lock::resolve::{ResolveError, resolve};
use debian_lock::source::{MissingSource, Sources};
use debian_lock::wanted::{Wanted, WantedError};

/// Resolve the wanted sets of Debian packages and write the lock as JSON to standard output
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Uncompressed Packages index files of the wanted suite and architecture
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    packages: Vec<PathBuf>,
    /// Uncompressed Sources index files of the wanted suite, if source packages are wanted
    #[arg(long, num_args = 1.., value_name = "FILE")]
    sources: Vec<PathBuf>,
    /// The list of wanted packages (wanted.json)
    #[arg(long, value_name = "FILE")]
    wanted: PathBuf,
    /// The snapshot archive date to record, such as 20261123T000000Z
    #[arg(long, value_name = "DATE")]
    snapshot: String,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read {}: {source}; check the path and that the file is uncompressed text", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the index files contain no packages; pass the Packages file of a suite")]
    EmptyIndex,
    #[error("{}: {source}", path.display())]
    Wanted { path: PathBuf, source: WantedError },
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    #[error(transparent)]
    Source(#[from] MissingSource),
    #[error("cannot write the lock as JSON: {0}; report this as a bug in debian-lock")]
    Json(#[from] serde_json::Error),
    #[error("cannot write the lock: {0}; check standard output")]
    Write(#[source] io::Error),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("debian-lock: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let wanted = Wanted::parse(&read(&arguments.wanted)?).map_err(|source| Error::Wanted {
        path: arguments.wanted.clone(),
        source,
    })?;
    let mut index = Index::default();
    for path in &arguments.packages {
        let file = path.display().to_string();
        index.add(&file, &read(path)?, &wanted.architecture)?;
    }
    if index.is_empty() {
        return Err(Error::EmptyIndex);
    }
    let mut sources = Sources::default();
    for path in &arguments.sources {
        let file = path.display().to_string();
        sources.add(&file, &read(path)?, &wanted.sources)?;
    }
    let sets = resolve(&index, &wanted)?;
    let sources = sources.select(&wanted.sources)?;
    let text = Lock::new(&index, &wanted, sets, sources, &arguments.snapshot).to_text()?;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::Write)
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}
