//! Certificates for a server and its clients.

#![allow(dead_code, reason = "each test executable uses a part")]

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::Client;
use crate::server::Server;

/// A TLS client.
pub(crate) type Encrypted = StreamOwned<ClientConnection, std::net::TcpStream>;

/// A temporary directory with a certificate authority and its certificates.
pub(crate) struct Files(PathBuf);

impl Files {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("broker-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("there is room");
        let files = Self(path);
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        files.write("ca.pem", &authority.pem());
        for name in ["server", "client"] {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            let certificate = params.signed_by(&key, &authority).expect("a certificate");
            files.write(&format!("{name}.pem"), &certificate.pem());
            files.write(&format!("{name}.key"), &key.serialize_pem());
        }
        // A certificate that is its own authority.
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        files.write("self.pem", &certificate.pem());
        files.write("self.key", &key.serialize_pem());
        files.write("nothing.pem", "nothing of use\n");
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("there is room");
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0
            .join(name)
            .to_str()
            .expect("plain letters")
            .to_owned()
    }

    pub(crate) fn server(&self, more: &[&str]) -> Server {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        let arguments = ["--tls-cert", &certificate, "--tls-key", &key];
        Server::start(&[&arguments, more].concat())
    }

    /// Returns a TLS client that has read INFO.
    pub(crate) fn client(&self, server: &Server, with_certificate: bool) -> Encrypted {
        let mut plain = Client::to(server.port);
        let info = plain.read_info();
        assert_eq!(info["tls_required"], true);
        self.encrypt(plain, with_certificate)
    }

    /// Switches a client to TLS, whatever it has read before.
    pub(crate) fn encrypt(&self, plain: Client, with_certificate: bool) -> Encrypted {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(self.0.join("ca.pem")).expect("written");
        roots.add(authority).expect("it is one");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("they go together")
            .with_root_certificates(roots);
        let config = if with_certificate {
            let chain = CertificateDer::from_pem_file(self.0.join("client.pem")).expect("written");
            let key = PrivateKeyDer::from_pem_file(self.0.join("client.key")).expect("written");
            builder
                .with_client_auth_cert(vec![chain], key)
                .expect("a pair")
        } else {
            builder.with_no_client_auth()
        };
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("a session");
        StreamOwned::new(session, plain.stream)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
