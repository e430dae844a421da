//! An authority of this program's own.

use farcall::{Pem, TlsClient, TlsServer};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl Authority {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), root })
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn server(&self) -> anyhow::Result<TlsServer> {
        let params = CertificateParams::new(["localhost".to_owned()])?;
        let key = KeyPair::generate()?;
        let chain = params.signed_by(&key, &self.issuer)?.pem();
        Ok(TlsServer::builder(Pem::bytes(chain), Pem::bytes(key.serialize_pem())).build()?)
    }

    pub(crate) fn trust(&self) -> anyhow::Result<TlsClient> {
        trust(&self.root)
    }
}

pub(crate) fn trust(root: &str) -> anyhow::Result<TlsClient> {
    Ok(TlsClient::builder(Pem::bytes(root)).server_name("localhost").build()?)
}
