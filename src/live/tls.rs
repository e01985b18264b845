//! TLS in the live world: whom a client believes, what a server shows, and the sessions that data connections go on with.
//!
//! It moves no byte: a [`Wire`] does. What a handshake draws at random is outside of replay, and it reads no file but the system's
//! certificates.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme, SupportedProtocolVersion,
};
use serde::{Deserialize, Serialize};

use super::Wire;

/// The versions of TLS, the newest first.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// Whose word a client takes for who the server is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Trust {
    /// That of the authorities which this machine knows.
    #[default]
    System,
    /// That of the authorities in this PEM text, and of nobody else.
    Authorities(String),
    /// Anybody's: nothing is checked. Right for a test of a server with a certificate of its own making, and for nothing else.
    Anybody,
}

/// On what terms clients speak TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Terms {
    /// Whom they believe.
    pub trust: Trust,
    /// Do they speak version 1.2, and not 1.3? A session of 1.2 serves any number of data connections. One of 1.3 needs a ticket for
    /// each, and a server gives what it likes: `ProFTPD` two for a session, after which it refuses data connections that need another.
    pub old: bool,
}

impl From<Trust> for Terms {
    fn from(trust: Trust) -> Self {
        Self { trust, old: false }
    }
}

/// What every TLS client of a run shares.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// The TLS of one FTP session. Its data connections go on with the TLS session of its control connection, since a server may ask
/// for just that (vsftpd, ProFTPD); those of others it could not go on with.
#[derive(Clone, Debug)]
pub struct Session {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Connector {
    /// Clients of the server that is called `host`, a name or an address.
    ///
    /// # Errors
    /// What is wrong with the authorities or the name, in a sentence.
    pub fn new(terms: &Terms, host: &str) -> Result<Self, String> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name =
            ServerName::try_from(host.clone()).map_err(|_| format!("{host:?} cannot be a name for TLS"))?;
        let verifier: Arc<dyn ServerCertVerifier> = match &terms.trust {
            Trust::Anybody => Arc::new(Credulous(provider())),
            Trust::System => verifier(system_roots()?)?,
            Trust::Authorities(pem) => verifier(roots_in(pem)?)?,
        };
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&VERSIONS[usize::from(terms.old)..])
            .map_err(|why| why.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), name })
    }

    /// A new FTP session, which nothing is known of yet.
    pub fn session(&self) -> Session {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = Resumption::in_memory_sessions(1);
        Session { config: Arc::new(config), name: self.name.clone() }
    }
}

impl Session {
    /// The client's end of a new connection of the session.
    ///
    /// # Errors
    /// None is known: names and configuration were looked at before.
    pub fn connect(&self) -> io::Result<Connection> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        connection.map(Connection::Client).map_err(io::Error::other)
    }
}

/// What every TLS connection of a server shares: its certificate and key.
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    /// The same without tickets.
    quiet: Arc<ServerConfig>,
    certificate: Arc<str>,
}

impl Acceptor {
    /// A server of this machine: `localhost`, 127.0.0.1 and `::1`.
    ///
    /// # Errors
    /// None is known.
    pub fn own() -> Result<Self, String> {
        Self::self_signed(&["localhost", "127.0.0.1", "::1"])
    }

    /// A server that is called by these names and addresses.
    ///
    /// # Errors
    /// What is wrong with a name, in a sentence.
    pub fn self_signed(names: &[&str]) -> Result<Self, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).map_err(|why| why.to_string())?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        Self::with(vec![made.cert.der().clone()], key, &made.cert.pem())
    }

    /// A server with the certificate (followed by those that vouch for it, if there are any) and the private key in these PEM texts.
    ///
    /// # Errors
    /// What is wrong with them, in a sentence that holds nothing of the key.
    pub fn of(certificate: &str, key: &str) -> Result<Self, String> {
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|why| format!("not a certificate: {why}"))?;
        if chain.is_empty() {
            return Err("there is no certificate in PEM".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| {
            "there is no private key in PEM without a password (PKCS #8, PKCS #1 or SEC 1)".to_owned()
        })?;
        Self::with(chain, key, certificate)
    }

    fn with(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        text: &str,
    ) -> Result<Self, String> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|why| why.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|why| format!("certificate and key do not serve: {why}"))?;
        let mut quiet = config.clone();
        quiet.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), quiet: Arc::new(quiet), certificate: text.into() })
    }

    /// Its certificate, PEM: who trusts it can be sure of the server.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The server's end of a new connection.
    ///
    /// # Errors
    /// None is known.
    pub fn accept(&self) -> io::Result<Connection> {
        ServerConnection::new(Arc::clone(&self.config)).map(Connection::Server).map_err(io::Error::other)
    }

    /// The same for an upload: a server that says nothing behind the handshake. A client that only sends reads no ticket, and a
    /// kernel that is left with something unread resets the connection, with the end of the upload still on its way (curl does).
    ///
    /// # Errors
    /// None is known.
    pub fn accept_upload(&self) -> io::Result<Connection> {
        ServerConnection::new(Arc::clone(&self.quiet)).map(Connection::Server).map_err(io::Error::other)
    }
}

/// Brings the handshake of a data connection to its end.
///
/// # Errors
/// The connection broke, or the two do not agree.
pub(super) async fn shake_hands(wire: &mut Wire) -> io::Result<()> {
    while !wire.shake()? {
        wire.readable().await?;
    }
    Ok(())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn verifier(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, String> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|why| why.to_string())
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this machine knows no certificate authority".to_owned());
    }
    Ok(roots)
}

fn roots_in(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|why| format!("not a certificate: {why}"))?;
        roots.add(certificate).map_err(|why| format!("not an authority: {why}"))?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(roots)
}

/// Believes everybody to be who he says. Signatures are checked all the same, since a server that cannot sign does not work.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
