//! NKeys: Ed25519 keys in the NATS text format.
//!
//! The text is base32 (RFC 4648, without padding) of one or two prefix bytes, the key, and
//! CRC-16/XMODEM of both, low byte first (github.com/nats-io/nkeys).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// The prefix of a user's public key: `U`.
const USER: u8 = 20 << 3;
/// The prefix of a seed: `S`.
const SEED: u8 = 18 << 3;

/// A user's key pair.
pub(crate) struct Key(Ed25519KeyPair);

// Secrets do not belong in logs.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Returns the key of this seed, if it is a user's.
    pub(crate) fn of_seed(text: &str) -> Option<Self> {
        let bytes = unchecked(&decode(text.trim())?)?.to_vec();
        // The kind of key is spread over both bytes.
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let kind = (first & 7) << 5 | second >> 3;
        let seed = bytes.get(2..)?;
        if first & 0xf8 != SEED || kind != USER {
            return None;
        }
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// Returns the public key in the NATS format.
    pub(crate) fn public(&self) -> String {
        let mut bytes = vec![USER];
        bytes.extend_from_slice(self.0.public_key().as_ref());
        bytes.extend_from_slice(&crc(&bytes).to_le_bytes());
        encode(&bytes)
    }

    /// Returns a signature in the NATS format.
    pub(crate) fn sign(&self, nonce: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sign(nonce.as_bytes()))
    }
}

/// A user's public key.
#[derive(Debug)]
pub(crate) struct PublicKey([u8; 32]);

impl PublicKey {
    /// Parses the NATS format.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = decode(text)?;
        match unchecked(&bytes)?.split_first()? {
            (&USER, key) => key.try_into().ok().map(Self),
            _ => None,
        }
    }

    /// Returns whether a signature, as clients format it, is this key's signature of the nonce.
    pub(crate) fn has_signed(&self, nonce: &str, signature: &str) -> bool {
        let decoded = URL_SAFE_NO_PAD
            .decode(signature)
            .or_else(|_| STANDARD.decode(signature));
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        decoded.is_ok_and(|signature| key.verify(nonce.as_bytes(), &signature).is_ok())
    }
}

/// Returns a random nonce for a client to sign.
///
/// # Errors
///
/// The system has no random bytes.
pub(crate) fn nonce() -> std::io::Result<String> {
    use ring::rand::{SecureRandom as _, SystemRandom};
    // The same length as in nats-server.
    let mut bytes = [0; 11];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| std::io::Error::other("the system has no random bytes"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
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

/// Returns the bytes before the checksum, if the checksum is right.
fn unchecked(bytes: &[u8]) -> Option<&[u8]> {
    let (rest, sum) = bytes.split_last_chunk::<2>()?;
    (crc(rest) == u16::from_le_bytes(*sum)).then_some(rest)
}

/// Returns CRC-16/XMODEM.
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

    /// A key from the tests and documentation of github.com/nats-io/nkeys.
    const SEED_TEXT: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    #[test]
    fn a_seed_gives_its_public_key() {
        let key = Key::of_seed(SEED_TEXT).expect("it is one");
        assert_eq!(key.public(), PUBLIC);
        // 64 bytes.
        assert_eq!(key.sign("nonce").len(), 86);
        assert_ne!(key.sign("nonce"), key.sign("other"));
        let public = PublicKey::parse(PUBLIC).expect("it is one");
        assert!(public.has_signed("nonce", &key.sign("nonce")));
        let padded = STANDARD.encode(URL_SAFE_NO_PAD.decode(key.sign("nonce")).expect("base64"));
        assert!(public.has_signed("nonce", &padded));
        for (nonce, signature) in [
            ("other", &*key.sign("nonce")),
            ("nonce", ""),
            ("nonce", "A"),
        ] {
            assert!(!public.has_signed(nonce, signature));
        }
    }

    #[test]
    fn other_texts_than_user_seeds_are_rejected() {
        let damaged = SEED_TEXT.replace("XKFSN", "XKFSM");
        for text in ["", "SU", PUBLIC, &damaged, &SEED_TEXT[..57], "SUÄ"] {
            assert!(Key::of_seed(text).is_none(), "{text}");
        }
        // The seed of an account.
        let mut bytes = unchecked(&decode(SEED_TEXT).expect("base32"))
            .expect("sum")
            .to_vec();
        bytes[0] = SEED;
        bytes[1] = 0;
        bytes.extend_from_slice(&crc(&bytes).to_le_bytes());
        assert!(Key::of_seed(&encode(&bytes)).is_none());
    }

    #[test]
    fn other_texts_than_public_user_keys_are_rejected() {
        let damaged = PUBLIC.replace("XU4R", "XU4S");
        for text in ["", "U", SEED_TEXT, &damaged, &PUBLIC[..55], "\u{c4}"] {
            assert!(PublicKey::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_two_nonces_are_the_same() {
        let (one, other) = (nonce().expect("random"), nonce().expect("random"));
        assert_eq!(one.len(), 15);
        assert_ne!(one, other);
    }
}
