//! NKeys: Ed25519 keys as NATS writes them, and files with credentials.
//!
//! The text is base32 (RFC 4648, without padding) of one or two bytes that say what it
//! is, the key, and CRC-16/XMODEM of all that, low byte first (github.com/nats-io/nkeys).

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// What the public key of a user begins with: `U`.
const USER: u8 = 20 << 3;
/// What a seed begins with: `S`.
const SEED: u8 = 18 << 3;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} holds no seed of a user's NKey, which begins with SU", .0.display())]
    NoSeed(PathBuf),
    #[error("{} holds no JWT between lines of dashes", .0.display())]
    NoJwt(PathBuf),
}

/// The key of a user.
pub(crate) struct Key(Ed25519KeyPair);

// Secrets do not belong into logs.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// The one with this seed, if it is that of a user.
    fn of_seed(text: &str) -> Option<Self> {
        let bytes = unchecked(&decode(text.trim())?)?.to_vec();
        // The kind of key lies across the two bytes.
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let kind = (first & 7) << 5 | second >> 3;
        let seed = bytes.get(2..)?;
        if first & 0xf8 != SEED || kind != USER {
            return None;
        }
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// The public key, as NATS writes it.
    pub(crate) fn public(&self) -> String {
        let mut bytes = vec![USER];
        bytes.extend_from_slice(self.0.public_key().as_ref());
        bytes.extend_from_slice(&crc(&bytes).to_le_bytes());
        encode(&bytes)
    }

    /// A signature, as NATS writes it.
    pub(crate) fn sign(&self, nonce: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sign(nonce.as_bytes()))
    }
}

/// What a file proves.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) key: Key,
    /// What an operator has signed for the user.
    pub(crate) jwt: Option<String>,
}

impl Proof {
    /// Reads a file that has a seed on a line of its own.
    pub(crate) fn of_nkey_file(path: &Path) -> Result<Self, CredentialsError> {
        let text = read(path)?;
        let key = text.lines().find_map(Key::of_seed);
        let key = key.ok_or_else(|| CredentialsError::NoSeed(path.to_owned()))?;
        Ok(Self { key, jwt: None })
    }

    /// Reads a file of credentials: the JWT, then the seed, each between two lines that
    /// begin and end with dashes.
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

/// The lines that stand between two lines of dashes.
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

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for &byte in bytes {
        bits = bits << 8 | u32::from(byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
    }
    if count > 0 {
        text.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|&known| known == letter)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// What is before the checksum, if that is right.
fn unchecked(bytes: &[u8]) -> Option<&[u8]> {
    let (rest, sum) = bytes.split_last_chunk::<2>()?;
    (crc(rest) == u16::from_le_bytes(*sum)).then_some(rest)
}

/// CRC-16/XMODEM.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |mut crc, &byte| {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x1021
            };
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of github.com/nats-io/nkeys' own tests and documentation.
    const SEED_TEXT: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    #[test]
    fn a_seed_gives_its_public_key() {
        let key = Key::of_seed(SEED_TEXT).expect("it is one");
        assert_eq!(key.public(), PUBLIC);
        // 64 bytes.
        assert_eq!(key.sign("nonce").len(), 86);
        assert_ne!(key.sign("nonce"), key.sign("other"));
    }

    #[test]
    fn what_is_no_seed_of_a_user_is_refused() {
        let damaged = SEED_TEXT.replace("XKFSN", "XKFSM");
        for text in ["", "SU", PUBLIC, &damaged, &SEED_TEXT[..57], "SUÄ"] {
            assert!(Key::of_seed(text).is_none(), "{text}");
        }
        // Of an account.
        let mut bytes = unchecked(&decode(SEED_TEXT).expect("base32"))
            .expect("sum")
            .to_vec();
        bytes[0] = SEED;
        bytes[1] = 0;
        bytes.extend_from_slice(&crc(&bytes).to_le_bytes());
        assert!(Key::of_seed(&encode(&bytes)).is_none());
    }

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
        for (path, said) in [
            (folder.join("none"), "cannot read"),
            (file("empty", ""), "holds no JWT"),
            (file("half", &text[..60]), "holds no JWT"),
            (file("no-seed", &text[..100]), "holds no seed"),
        ] {
            let error = Proof::of_credentials_file(&path).expect_err(said);
            assert!(error.to_string().contains(said), "{error}");
        }
        let error = Proof::of_nkey_file(&file("other", "hello")).expect_err("no seed");
        assert!(error.to_string().contains("holds no seed"), "{error}");
        std::fs::remove_dir_all(folder).expect("it is there");
    }
}
