//! Unpacks Debian packages into one folder: `seed OUT DEB...`.
//!
//! A derivation's sandbox holds no shell and no `tar`, and Nix itself unpacks neither `ar` archives nor tarballs of
//! more than one top-level folder. This static program is the builder of the derivations that everything else in the
//! base starts from. Formats: deb(5), the xz and tar formats.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

use lzma_rust2::XzReader;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(out) = arguments.next() else {
        eprintln!(
            "usage: seed OUT DEB...\nUnpacks the files of Debian packages into the folder OUT."
        );
        return ExitCode::from(2);
    };
    for deb in arguments {
        let deb = Path::new(&deb);
        eprintln!("unpacking {}", deb.display());
        if let Err(error) = unpack(deb, Path::new(&out)) {
            eprintln!("seed: {}: {error}", deb.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Unpacks the data member of the package `deb` into `out`, next to what is there.
///
/// # Errors
/// If `deb` is not a Debian package, its data is not compressed with xz, a file in it would land outside `out`, or
/// reading or writing fails.
fn unpack(deb: &Path, out: &Path) -> io::Result<()> {
    std::fs::create_dir_all(out)?;
    let mut members = ar::Archive::new(BufReader::new(File::open(deb)?));
    while let Some(member) = members.next_entry() {
        let member = member?;
        match member.header().identifier() {
            b"data.tar.xz" => return unpack_tar(XzReader::new(BufReader::new(member), false), out),
            name if name.starts_with(b"data.tar") => {
                let name = String::from_utf8_lossy(name);
                return Err(io::Error::other(format!(
                    "{name} is not supported, only data.tar.xz is"
                )));
            }
            _ => {}
        }
    }
    Err(io::Error::other(
        "no data.tar.xz inside: not a Debian package",
    ))
}

fn unpack_tar(tar: impl Read, out: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(tar);
    // Nix sets all times to 1 anyway.
    archive.set_preserve_mtime(false);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.unpack_in(out)? {
            let path = entry.path()?.display().to_string();
            return Err(io::Error::other(format!(
                "the path {path} leads out of the package"
            )));
        }
    }
    Ok(())
}
