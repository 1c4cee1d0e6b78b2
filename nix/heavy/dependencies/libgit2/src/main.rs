//! libgit2, in C, which works on files: a commit to a new repository is read back.

use std::path::Path;
use std::{env, fs, process};

use git2::{Repository, Signature};

const TEXT: &[u8] = b"by libgit2\n";

fn commit(folder: &Path) -> Result<git2::Oid, git2::Error> {
    let repository = Repository::init(folder)?;
    fs::write(folder.join("file"), TEXT).expect("write a file");
    let mut index = repository.index()?;
    index.add_path(Path::new("file"))?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = Signature::now("somebody", "somebody@localhost")?;
    repository.commit(Some("HEAD"), &author, &author, "Add a file", &tree, &[])
}

fn main() -> Result<(), git2::Error> {
    let folder = env::temp_dir().join(format!("uses-libgit2-{}", process::id()));
    fs::create_dir_all(&folder).expect("make a folder");
    let id = commit(&folder)?;

    let repository = Repository::open(&folder)?;
    let head = repository.head()?.peel_to_commit()?;
    assert_eq!(head.id(), id);
    let entry = head.tree()?.get_path(Path::new("file"))?;
    assert_eq!(repository.find_blob(entry.id())?.content(), TEXT);
    // What git itself calls a file of this text.
    assert_eq!(
        entry.id().to_string(),
        "98c6d54f35bb158aa76fef3e767d8df189cd67b1"
    );
    fs::remove_dir_all(&folder).expect("remove the folder");
    let version = git2::Version::get();
    println!("libgit2 {:?}: {id} is read back", version.libgit2_version());
    Ok(())
}
