//! TLS: the server's files, and one session per connection.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, CipherSuite, ClientConfig, ClientConnection, Connection,
    DigitallySignedStruct, DistinguishedName, OtherError, ProtocolVersion, RootCertStore,
    ServerConfig, ServerConnection, SignatureScheme,
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
            let (roots, authorities) = authorities(path)?;
            let chains = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| wrong(error.to_string()))?;
            builder.with_client_cert_verifier(Arc::new(ClientVerifier {
                chains,
                authorities,
            }))
        }
    };
    let config = builder.with_single_cert(chain, key).map_err(pair)?;
    Ok(Arc::new(config))
}

/// Reads the CA certificates in a file.
fn authorities(path: &Path) -> Result<(RootCertStore, SelfSigned), TlsError> {
    const WHAT: &str = "a certificate authority";
    let mut roots = RootCertStore::empty();
    let authorities = certificates(WHAT, path)?;
    for authority in &authorities {
        roots
            .add(authority.clone())
            .map_err(|error| TlsError::File {
                what: WHAT,
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
    }
    Ok((roots, SelfSigned(authorities)))
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
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3");
    let builder = if let Some(path) = ca {
        let (roots, authorities) = authorities(path)?;
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| TlsError::File {
                what: "a certificate authority",
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        let verifier = HubVerifier {
            chains,
            authorities,
        };
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        let mut roots = RootCertStore::empty();
        // An unreadable certificate is left out; the handshake fails if it is needed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        builder.with_root_certificates(roots)
    };
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

/// The methods that rustls's traits for both kinds of verifiers have, passed on to `chains`.
macro_rules! signatures_by_chains {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.chains
                .verify_tls12_signature(message, certificate, signature)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.chains
                .verify_tls13_signature(message, certificate, signature)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.chains.supported_verify_schemes()
        }
    };
}

/// Verifies the certificates of clients.
///
/// A certificate whose issuer only has the right name fails with a bad signature. rustls would
/// report `decrypt error`, as if the connection were broken; like nats-server, this verifier
/// reports `unknown ca`.
#[derive(Debug)]
struct ClientVerifier {
    chains: Arc<dyn ClientCertVerifier>,
    authorities: SelfSigned,
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let chains = &self.chains;
        match chains.verify_client_cert(certificate, intermediates, now) {
            Err(error) if self.authorities.excuses(&error, certificate) => {
                Ok(ClientCertVerified::assertion())
            }
            Err(rustls::Error::InvalidCertificate(CertificateError::BadSignature)) => {
                Err(CertificateError::UnknownIssuer.into())
            }
            judged => judged,
        }
    }

    signatures_by_chains!();
}

/// Returns whether a session failed because the peer's bytes are not TLS.
pub(crate) fn is_not_tls(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(error, Some(rustls::Error::InvalidMessage(_)))
}

/// Accepts a certificate that is itself one of the given authorities, as OpenSSL's `req -x509`
/// creates it and as nats-server accepts it. webpki rejects it after it has checked its validity.
#[derive(Debug)]
struct SelfSigned(Vec<CertificateDer<'static>>);

impl SelfSigned {
    /// Returns whether `error` is only that, for this certificate.
    fn excuses(&self, error: &rustls::Error, certificate: &CertificateDer<'_>) -> bool {
        let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error
        else {
            return false;
        };
        error.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
            && self.0.contains(certificate)
    }
}

/// Verifies the certificates of hubs.
#[derive(Debug)]
struct HubVerifier {
    chains: Arc<WebPkiServerVerifier>,
    authorities: SelfSigned,
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let judged = self
            .chains
            .verify_server_cert(certificate, intermediates, name, ocsp, now);
        match judged {
            Err(error) if self.authorities.excuses(&error, certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    signatures_by_chains!();
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
        let chains = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .expect("there is an authority");
        let verifier = ClientVerifier {
            chains,
            authorities: SelfSigned(Vec::new()),
        };
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

    #[test]
    fn a_certificate_may_be_its_own_authority() {
        let certificate = |year, name: &str| {
            let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = KeyPair::generate().expect("a key");
            let certificate = params.self_signed(&key).expect("a certificate");
            certificate.der().clone()
        };
        let (own, stranger) = (certificate(2100, "hub"), certificate(2100, "hub"));
        let expired = certificate(2001, "hub");
        let mut roots = RootCertStore::empty();
        for authority in [&own, &expired] {
            roots.add(authority.clone()).expect("it is one");
        }
        let roots = Arc::new(roots);
        let authorities = || SelfSigned(vec![own.clone(), expired.clone()]);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let hubs = HubVerifier {
            chains: WebPkiServerVerifier::builder_with_provider(
                Arc::clone(&roots),
                Arc::clone(&provider),
            )
            .build()
            .expect("there are authorities"),
            authorities: authorities(),
        };
        let clients = ClientVerifier {
            chains: WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .expect("there are authorities"),
            authorities: authorities(),
        };
        for (certificate, name, is_right) in [
            (&own, "hub", true),
            (&own, "other", false),
            (&stranger, "hub", false),
            (&expired, "hub", false),
        ] {
            let server = ServerName::try_from(name).expect("a name");
            let now = UnixTime::now();
            let judged = hubs.verify_server_cert(certificate, &[], &server, &[], now);
            assert_eq!(judged.is_ok(), is_right, "{name}: {judged:?}");
            // The name of a client does not matter.
            let judged = clients.verify_client_cert(certificate, &[], now);
            assert_eq!(judged.is_ok(), certificate == &own, "{judged:?}");
        }
    }
}
