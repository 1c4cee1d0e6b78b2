//! TLS: the server's files, and one session per connection.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, CipherSuite, ClientConfig, ClientConnection, Connection,
    DigitallySignedStruct, DistinguishedName, ProtocolVersion, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
};

use super::about::TlsUsed;
use super::config::TlsFiles;

/// Why TLS files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or contains no PEM.
    #[error("cannot read {what} from {}: {reason}", path.display())]
    File {
        /// The expected content.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The error.
        reason: String,
    },
    /// The certificate and the key do not work together.
    #[error("cannot use {} with {}: {source}", certificate.display(), key.display())]
    Pair {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// The error.
        source: rustls::Error,
    },
}

fn reason(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "the file does not contain one in PEM format".to_owned(),
        other => other.to_string(),
    }
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |reason| TlsError::File {
        what,
        path: path.to_owned(),
        reason,
    };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(reason(&error)))?;
    if found.is_empty() {
        return Err(wrong(reason(&pem::Error::NoItemsFound)));
    }
    Ok(found)
}

/// Reads a certificate chain and its key.
fn pair(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates("a certificate", certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::File {
        what: "a private key",
        path: key.to_owned(),
        reason: reason(&error),
    })?;
    Ok((chain, key))
}

/// Reads the files and creates the configuration of the server's sessions.
///
/// # Errors
///
/// Names the file and the error.
pub(crate) fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = pair(&files.certificate, &files.key)?;
    let pair = |source| TlsError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[_] = if files.only_tls13 {
        &[&rustls::version::TLS13]
    } else {
        rustls::DEFAULT_VERSIONS
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(pair)?;
    let builder = match &files.ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let wrong = |reason: String| TlsError::File {
                what: "a certificate authority",
                path: path.clone(),
                reason,
            };
            let roots = Arc::new(authorities(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| wrong(error.to_string()))?;
            builder.with_client_cert_verifier(Arc::new(ClientVerifier(verifier)))
        }
    };
    let config = builder.with_single_cert(chain, key).map_err(pair)?;
    Ok(Arc::new(config))
}

/// Reads the CA certificates in a file.
fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    const WHAT: &str = "a certificate authority";
    let mut roots = RootCertStore::empty();
    for authority in certificates(WHAT, path)? {
        roots.add(authority).map_err(|error| TlsError::File {
            what: WHAT,
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    }
    Ok(roots)
}

/// Creates the configuration of client sessions: with the given CA certificates or those that the
/// system trusts, and with a client certificate if one was given.
///
/// # Errors
///
/// Names the file and the error.
pub(crate) fn load_client(
    ca: Option<&Path>,
    certificate: Option<&(PathBuf, PathBuf)>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = if let Some(path) = ca {
        authorities(path)?
    } else {
        let mut roots = RootCertStore::empty();
        // An unreadable certificate is left out; the handshake fails if it is needed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3");
    let builder = builder.with_root_certificates(roots);
    let config = match certificate {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let (chain, private) = pair(certificate, key)?;
            let wrong = |source| TlsError::Pair {
                certificate: certificate.clone(),
                key: key.clone(),
                source,
            };
            builder
                .with_client_auth_cert(chain, private)
                .map_err(wrong)?
        }
    };
    Ok(Arc::new(config))
}

/// Verifies the certificates of clients.
///
/// A certificate whose issuer only has the right name fails with a bad signature. rustls would
/// report `decrypt error`, as if the connection were broken; like nats-server, this verifier
/// reports `unknown ca`.
#[derive(Debug)]
struct ClientVerifier(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let judged = self.0.verify_client_cert(certificate, intermediates, now);
        judged.map_err(|error| match error {
            rustls::Error::InvalidCertificate(CertificateError::BadSignature) => {
                CertificateError::UnknownIssuer.into()
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// One end of a TLS connection: of the server, or of a client of a hub.
#[derive(Debug)]
pub(crate) struct Session {
    tls: Connection,
    /// The peer has sent data that looks like TLS.
    begun: bool,
}

impl Session {
    pub(crate) fn new(config: &Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        let tls = ServerConnection::new(Arc::clone(config))?.into();
        Ok(Self { tls, begun: false })
    }

    /// Creates a client session to a server with this name.
    ///
    /// # Errors
    ///
    /// The name is invalid.
    pub(crate) fn to(config: &Arc<ClientConfig>, name: &str) -> Result<Self, rustls::Error> {
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| rustls::Error::General(format!("{name} is not a valid server name")))?;
        let tls = ClientConnection::new(Arc::clone(config), name)?.into();
        Ok(Self { tls, begun: true })
    }

    /// Returns the encryption in nats-server's terms, once it is negotiated.
    pub(crate) fn used(&self) -> Option<TlsUsed> {
        let version = match self.tls.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "1.2",
            ProtocolVersion::TLSv1_3 => "1.3",
            _ => "unknown",
        };
        let cipher = match self.tls.negotiated_cipher_suite()?.suite() {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
            CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
            CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"
            }
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"
            }
            other => other.as_str().unwrap_or("unknown"),
        };
        Some(TlsUsed { version, cipher })
    }

    /// Returns whether the peer has sent any data.
    pub(crate) fn has_begun(&self, socket: &TcpStream) -> bool {
        self.begun || socket.peek(&mut [0]).is_ok()
    }

    /// Reads available data.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the client sends plaintext; other errors of the system.
    pub(crate) fn read(&mut self, socket: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
        /// The record type of every client's first message.
        const HANDSHAKE: u8 = 22;
        if !self.begun {
            let mut first = [0];
            if socket.peek(&mut first)? == 1 && first[0] != HANDSHAKE {
                return Err(ErrorKind::Unsupported.into());
            }
            self.begun = true;
        }
        loop {
            match self.tls.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done,
            }
            if self.tls.read_tls(socket)? == 0 {
                return Ok(0);
            }
            if let Err(error) = self.tls.process_new_packets() {
                // Sends the alert.
                let _ = self.flush(socket);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
            self.flush(socket)?;
        }
    }

    pub(crate) fn write(
        &mut self,
        socket: &mut TcpStream,
        slices: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        self.flush(socket)?;
        if self.tls.wants_write() || self.tls.is_handshaking() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let accepted = self.tls.writer().write_vectored(slices)?;
        self.flush(socket)?;
        Ok(accepted)
    }

    /// Writes encrypted data, as much as the socket accepts.
    pub(crate) fn flush(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, socket: &mut TcpStream) {
        self.tls.send_close_notify();
        // The connection ends in any case, so errors do not matter.
        let _ = self.flush(socket);
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    pub(crate) fn is_flushed(&self) -> bool {
        !self.tls.wants_write()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::AlertDescription;

    use super::*;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        CertifiedIssuer::self_signed(params, key).expect("a certificate")
    }

    #[test]
    fn another_authority_of_the_same_name_is_an_unknown_one() {
        let (right, other) = (authority(), authority());
        let mut roots = RootCertStore::empty();
        roots.add(right.der().clone()).expect("it is one");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .expect("there is an authority");
        let verifier = ClientVerifier(verifier);
        let judged = |issuer| {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec!["client".to_owned()]).expect("a name");
            let certificate = params.signed_by(&key, issuer).expect("a certificate");
            verifier
                .verify_client_cert(certificate.der(), &[], UnixTime::now())
                .map_err(|error| match error {
                    rustls::Error::InvalidCertificate(error) => AlertDescription::from(error),
                    other => panic!("{other}"),
                })
        };
        assert!(judged(&right).is_ok());
        assert_eq!(judged(&other).err(), Some(AlertDescription::UnknownCA));
    }
}
