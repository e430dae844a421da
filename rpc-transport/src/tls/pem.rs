//! Certificates, keys and revocation lists, as files or bytes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rpc_core::{Error, ErrorKind};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::provider;

/// Where certificates, a key or revocation lists in PEM come from.
///
/// A file is read again when it changes; see [`TlsServer::reload`](super::TlsServer::reload).
///
/// ```
/// use rpc_transport::Pem;
/// let roots = Pem::file("/etc/farcall/ca.pem");
/// let lists = Pem::bytes(*b"-----BEGIN X509 CRL-----\n");
/// # let _ = (roots, lists);
/// ```
#[derive(Clone)]
pub struct Pem {
    source: Source,
}

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

impl Pem {
    /// Reads from a file, and again when that changes.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { source: Source::File(path.into()) }
    }

    /// Takes what is in memory, which never changes.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self { source: Source::Bytes(bytes.as_ref().into()) }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File(path) => Some(path),
            Source::Bytes(_) => None,
        }
    }

    fn read(&self) -> Result<Vec<u8>, Error> {
        match &self.source {
            Source::File(path) => std::fs::read(path).map_err(|error| self.unusable(&error)),
            Source::Bytes(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Reads everything of one kind, of which there must be at least one.
    fn objects<T: PemObject>(&self, what: &str) -> Result<Vec<T>, Error> {
        let text = self.read()?;
        let objects: Result<Vec<T>, _> = T::pem_slice_iter(&text).collect();
        let objects = objects.map_err(|error| self.unusable(&error))?;
        if objects.is_empty() {
            return Err(self.unusable(&format_args!("there is no {what} in it")));
        }
        Ok(objects)
    }

    fn unusable(&self, why: &dyn fmt::Display) -> Error {
        unusable(&self.to_string(), why)
    }
}

/// Says what of a configuration rustls does not take.
pub(super) fn unusable(what: &str, why: &dyn fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("{what} cannot be used for TLS: {why}"))
}

/// Reads trust roots.
pub(super) fn roots(all: &[Pem]) -> Result<Arc<RootCertStore>, Error> {
    let mut store = RootCertStore::empty();
    for pem in all {
        for root in pem.objects("CERTIFICATE")? {
            store.add(root).map_err(|error| pem.unusable(&error))?;
        }
    }
    Ok(Arc::new(store))
}

/// Reads revocation lists.
pub(super) fn revocation_lists(all: &[Pem]) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
    let mut lists = Vec::new();
    for pem in all {
        lists.extend(pem.objects("X509 CRL")?);
    }
    Ok(lists)
}

/// A certificate chain and the key that goes with it.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) chain: Pem,
    pub(super) key: Pem,
}

impl Pair {
    pub(super) fn parts(&self) -> [&Pem; 2] {
        [&self.chain, &self.key]
    }

    /// Reads both, and holds the one against the other.
    pub(super) fn read(&self) -> Result<CertifiedKey, Error> {
        let chain: Vec<CertificateDer<'static>> = self.chain.objects("CERTIFICATE")?;
        let key = PrivateKeyDer::from_pem_slice(&self.key.read()?);
        let key = key.map_err(|error| self.key.unusable(&error))?;
        CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
            let text = format!("{} and {} are no certificate and its key: {error}", self.chain, self.key);
            Error::new(ErrorKind::Config, text)
        })
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::File(path) => write!(f, "the file {}", path.display()),
            Source::Bytes(_) => f.write_str("PEM in memory"),
        }
    }
}

/// Bytes are not shown: they may be a key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({self})")
    }
}
