//! OpenSSL, which perl configures and writes the assembly of: a digest, then TLS between two threads.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslConnector, SslMethod, SslVersion};
use openssl::x509::{X509, X509Name};

/// A certificate for localhost, signed by its own key.
fn certificate(key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, "localhost")?;
    let name = name.build();
    let mut certificate = X509::builder()?;
    certificate.set_version(2)?;
    certificate.set_subject_name(&name)?;
    certificate.set_issuer_name(&name)?;
    certificate.set_pubkey(key)?;
    certificate.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
    certificate.set_not_after(Asn1Time::days_from_now(1)?.as_ref())?;
    certificate.sign(key, MessageDigest::sha256())?;
    Ok(certificate.build())
}

fn main() -> Result<(), ErrorStack> {
    let digest = openssl::sha::sha256(b"abc");
    assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);

    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let certificate = certificate(&key)?;
    let mut acceptor = SslAcceptor::mozilla_modern_v5(SslMethod::tls_server())?;
    acceptor.set_private_key(&key)?;
    acceptor.set_certificate(&certificate)?;
    let acceptor = acceptor.build();
    let mut connector = SslConnector::builder(SslMethod::tls_client())?;
    connector.cert_store_mut().add_cert(certificate)?;
    let connector = connector.build();

    let (near, far) = UnixStream::pair().expect("make a pair of sockets");
    let server = thread::spawn(move || {
        let mut stream = acceptor.accept(far).expect("accept");
        let mut asked = [0; 4];
        stream.read_exact(&mut asked).expect("read the question");
        stream.write_all(&asked).expect("answer");
    });
    let mut stream = connector
        .connect("localhost", near)
        .expect("the server has the certificate of localhost");
    stream.write_all(b"ping").expect("ask");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("read the answer");
    server.join().expect("the server ends");
    assert_eq!(&answer, b"ping");
    assert_eq!(stream.ssl().version2(), Some(SslVersion::TLS1_3));
    println!(
        "{}: {} with {}",
        openssl::version::version(),
        stream.ssl().version_str(),
        stream.ssl().current_cipher().expect("a cipher").name()
    );
    Ok(())
}
