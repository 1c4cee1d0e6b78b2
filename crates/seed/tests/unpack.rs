//! Runs the program on packages made here, good and bad.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use lzma_rust2::{XzOptions, XzWriter};

fn seed(out: &Path, debs: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seed"));
    command
        .arg(out)
        .args(debs)
        .output()
        .expect("the seed starts")
}

fn tar(fill: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    fill(&mut builder);
    builder.into_inner().expect("a whole tar")
}

fn file(builder: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    // Written into the header as it is: a well-behaved writer refuses the paths that an evil package has.
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    builder.append(&header, content).expect("an entry");
}

fn deb(path: &Path, member: &str, data: &[u8]) {
    let mut compressed = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).expect("a writer");
    compressed.write_all(data).expect("compressed");
    let compressed = compressed.finish().expect("a whole stream");
    let mut archive = ar::Builder::new(fs::File::create(path).expect("a file"));
    for (name, content) in [("debian-binary", &b"2.0\n"[..]), (member, &compressed)] {
        let header = ar::Header::new(name.as_bytes().to_vec(), content.len() as u64);
        archive.append(&header, content).expect("a member");
    }
}

fn refused(output: &Output, reason: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(reason), "{error}");
    assert!(
        error.contains("a.deb"),
        "the error names the package: {error}"
    );
}

#[test]
fn packages_are_laid_over_one_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("a.deb"), folder.path().join("b.deb"));
    deb(
        &first,
        "data.tar.xz",
        &tar(|tar| file(tar, "./usr/bin/one", 0o4755, b"1")),
    );
    deb(
        &second,
        "data.tar.xz",
        &tar(|tar| {
            file(tar, "./usr/share/two", 0o644, b"22");
            let mut link = tar::Header::new_gnu();
            link.set_entry_type(tar::EntryType::Symlink);
            link.set_size(0);
            tar.append_link(&mut link, "./usr/bin/two", "one")
                .expect("a link");
        }),
    );
    let out = folder.path().join("out");
    let output = seed(&out, &[&first, &second]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        fs::read(out.join("usr/bin/two")).expect("the link leads there"),
        b"1"
    );
    assert_eq!(
        fs::read(out.join("usr/share/two")).expect("the file"),
        b"22"
    );
    let mode = fs::metadata(out.join("usr/bin/one"))
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755, "executable, without set-user-ID");
}

#[test]
fn what_is_no_package_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.deb");
    let out = folder.path().join("out");

    refused(&seed(&out, &[&path]), "No such file");
    fs::write(&path, b"not an archive").expect("a file");
    refused(&seed(&out, &[&path]), "");
    deb(&path, "control.tar.xz", &[]);
    refused(&seed(&out, &[&path]), "not a Debian package");
    deb(&path, "data.tar.zst", &[]);
    refused(&seed(&out, &[&path]), "data.tar.zst is not supported");
}

#[test]
fn a_damaged_package_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.deb");
    deb(
        &path,
        "data.tar.xz",
        &tar(|tar| file(tar, "./file", 0o644, &[7; 5000])),
    );
    let mut bytes = fs::read(&path).expect("the package");
    let middle = bytes.len() * 3 / 4;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).expect("a file");
    refused(&seed(&folder.path().join("out"), &[&path]), "");
    bytes.truncate(middle);
    fs::write(&path, &bytes).expect("a file");
    refused(&seed(&folder.path().join("out"), &[&path]), "");
}

#[test]
fn a_path_out_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.deb");
    deb(
        &path,
        "data.tar.xz",
        &tar(|tar| file(tar, "../escaped", 0o644, b"x")),
    );
    refused(
        &seed(&folder.path().join("out"), &[&path]),
        "leads out of the package",
    );
    assert!(!folder.path().join("escaped").exists());
}

#[test]
fn without_arguments_it_says_how_to_use_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_seed"))
        .output()
        .expect("the seed starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage"));
}
