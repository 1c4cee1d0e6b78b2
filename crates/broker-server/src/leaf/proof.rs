//! Files with proof of identity for a hub: NKey seeds and credentials.

use std::path::{Path, PathBuf};

use crate::nkey::Key;

/// Why a file is unusable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} does not contain the seed of a user's NKey, which begins with SU", .0.display())]
    NoSeed(PathBuf),
    #[error("the seed is not that of a user's NKey, which begins with SU")]
    BadSeed,
    #[error("{} does not contain a JWT between lines of dashes", .0.display())]
    NoJwt(PathBuf),
}

/// The content of a file.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) key: Key,
    /// The user's JWT.
    pub(crate) jwt: Option<String>,
}

impl Proof {
    /// Parses a seed.
    pub(crate) fn of_seed(seed: &str) -> Result<Self, CredentialsError> {
        let key = Key::of_seed(seed).ok_or(CredentialsError::BadSeed)?;
        Ok(Self { key, jwt: None })
    }

    /// Reads a file that has a seed on a line of its own.
    pub(crate) fn of_nkey_file(path: &Path) -> Result<Self, CredentialsError> {
        let text = read(path)?;
        let key = text.lines().find_map(Key::of_seed);
        let key = key.ok_or_else(|| CredentialsError::NoSeed(path.to_owned()))?;
        Ok(Self { key, jwt: None })
    }

    /// Reads a credentials file: the JWT, then the seed, each between two lines that begin and end
    /// with dashes.
    pub(crate) fn of_credentials_file(path: &Path) -> Result<Self, CredentialsError> {
        let text = read(path)?;
        let mut blocks = blocks(&text);
        let is_jwt = |text: &&str| text.split('.').count() == 3;
        let jwt = blocks.next().filter(is_jwt);
        let jwt = jwt.ok_or_else(|| CredentialsError::NoJwt(path.to_owned()))?;
        let key = blocks.next().and_then(Key::of_seed);
        let key = key.ok_or_else(|| CredentialsError::NoSeed(path.to_owned()))?;
        Ok(Self {
            key,
            jwt: Some(jwt.to_owned()),
        })
    }
}

fn read(path: &Path) -> Result<String, CredentialsError> {
    std::fs::read_to_string(path).map_err(|source| CredentialsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// Returns the lines between two lines of dashes.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let is_fence = |line: &str| {
        let line = line.trim();
        line.len() > 6 && line.starts_with("---") && line.ends_with("---")
    };
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        lines.by_ref().find(|line| is_fence(line))?;
        let block = lines.next()?;
        lines.by_ref().find(|line| is_fence(line))?;
        Some(block.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key from the tests and documentation of github.com/nats-io/nkeys.
    const SEED_TEXT: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    #[test]
    fn files_are_read_as_the_tools_write_them() {
        let folder = std::env::temp_dir().join(format!("nkeys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        let text = format!(
            "-----BEGIN NATS USER JWT-----\r\neyJ0.eyJq.c2ln\r\n------END NATS USER JWT------\r\n\r\n\
             ************************* IMPORTANT *************************\r\n\
             -----BEGIN USER NKEY SEED-----\r\n{SEED_TEXT}\r\n------END USER NKEY SEED------\r\n"
        );
        let proof = Proof::of_credentials_file(&file("good", &text)).expect("it is good");
        assert_eq!(proof.jwt.as_deref(), Some("eyJ0.eyJq.c2ln"));
        assert_eq!(proof.key.public(), PUBLIC);
        let seed = format!("# the key\n{SEED_TEXT}\n");
        let proof = Proof::of_nkey_file(&file("seed", &seed)).expect("it is good");
        assert_eq!(proof.jwt, None);
        let proof = Proof::of_seed(SEED_TEXT).expect("it is good");
        assert_eq!(proof.key.public(), PUBLIC);
        assert!(Proof::of_seed(PUBLIC).is_err());
        for (path, said) in [
            (folder.join("none"), "cannot read"),
            (file("empty", ""), "does not contain a JWT"),
            (file("half", &text[..60]), "does not contain a JWT"),
            (file("no-seed", &text[..100]), "does not contain the seed"),
        ] {
            let error = Proof::of_credentials_file(&path).expect_err(said);
            assert!(error.to_string().contains(said), "{error}");
        }
        let error = Proof::of_nkey_file(&file("other", "hello")).expect_err("no seed");
        assert!(
            error.to_string().contains("does not contain the seed"),
            "{error}"
        );
        std::fs::remove_dir_all(folder).expect("it is there");
    }
}
