//! C and assembly of ring and of AWS-LC: each verifies what the other has signed.

use aws_lc_rs::signature::KeyPair as _;
use ring::signature::KeyPair as _;

fn main() {
    let message = b"signed by one, verified by the other";
    let random = ring::rand::SystemRandom::new();

    let document = ring::signature::Ed25519KeyPair::generate_pkcs8(&random).expect("make a key");
    let pair =
        ring::signature::Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("read the key");
    aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::ED25519,
        pair.public_key().as_ref(),
    )
    .verify(message, pair.sign(message).as_ref())
    .expect("AWS-LC verifies ring's signature");

    let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().expect("make a key");
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, pair.public_key().as_ref())
        .verify(message, pair.sign(message).as_ref())
        .expect("ring verifies AWS-LC's signature");
    println!("ring and AWS-LC agree");
}
