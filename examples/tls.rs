//! TLS both ways: the server shows who it is, clients do too, and certificates change while the server runs.
//!
//! The certificates are made here, by an authority of this program's own; in earnest they come from yours.

use std::path::{Path, PathBuf};
use std::time::Duration;

use farcall::{Channel, Context, Error, Pem, Server, TlsClient, TlsServer, service};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

/// Keeps accounts.
#[service]
pub trait Accounts {
    /// Tells who calls, as far as the server knows.
    async fn who_am_i(&self) -> String;
}

struct Ledger;

impl Accounts for Ledger {
    async fn who_am_i(&self) -> String {
        let context = Context::current();
        match context.peer().and_then(|peer| peer.certificate()) {
            Some(certificate) => format!("{}, {}", certificate.subject(), certificate.uris().join(", ")),
            None => "somebody".to_owned(),
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let authority = Authority::new()?;
    std::fs::write(file("ca.pem"), &authority.root)?;
    std::fs::write(file("revoked.pem"), authority.revoked(&[])?)?;
    authority.issue("localhost", 1)?.write(&file("server"))?;
    authority.issue("billing", 2)?.write(&file("billing"))?;
    authority.issue("reports", 3)?.write(&file("reports"))?;

    let tls = TlsServer::builder(Pem::file(file("server.pem")), Pem::file(file("server.key")))
        .require_clients(Pem::file(file("ca.pem")))
        .revocation_lists(Pem::file(file("revoked.pem")))
        .build()?;
    let server = Server::builder()
        .service(AccountsServer::new(Ledger))
        .tls(tls.clone())
        // Clients come back after an hour at most, and are verified again.
        .max_connection_age(Duration::from_secs(3600))
        .bind("tls://127.0.0.1:0")
        .await?;
    let connect = async |name: &str| -> Result<AccountsClient, Error> {
        let tls = TlsClient::builder(Pem::file(file("ca.pem")))
            .identity(Pem::file(file(&format!("{name}.pem"))), Pem::file(file(&format!("{name}.key"))))
            .server_name("localhost")
            .build()?;
        Ok(AccountsClient::new(Channel::builder(server.uri()).tls(tls).connect().await?))
    };

    let billing = connect("billing").await?;
    println!("billing is {}", billing.who_am_i().await?);
    println!("reports is {}", connect("reports").await?.who_am_i().await?);

    let stranger = TlsClient::builder(Pem::file(file("ca.pem"))).server_name("localhost").build()?;
    let refused = Channel::builder(server.uri()).tls(stranger).connect().await;
    println!("a stranger is let in: {}", refused.is_ok());

    // A half-written pair is refused, and the old one stays.
    std::fs::write(file("server.pem"), "-----BEGIN CERTIFICATE-----")?;
    println!("a broken certificate is taken: {}", tls.reload().is_ok());

    authority.issue("localhost", 4)?.write(&file("server"))?;
    std::fs::write(file("revoked.pem"), authority.revoked(&[3])?)?;
    tls.reload()?;
    println!("reports is let in: {}", connect("reports").await.is_ok());
    println!("billing is let in: {}", connect("billing").await.is_ok());
    println!("the old connection goes on: {}", billing.who_am_i().await?);
    server.shutdown().await;
    Ok(())
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

struct Issued {
    chain: String,
    key: String,
}

impl Authority {
    fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), root })
    }

    fn issue(&self, name: &str, serial: u64) -> anyhow::Result<Issued> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names.push(SanType::URI(format!("spiffe://example/{name}").try_into()?));
        params.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate()?;
        Ok(Issued { chain: params.signed_by(&key, &self.issuer)?.pem(), key: key.serialize_pem() })
    }

    fn revoked(&self, serials: &[u64]) -> anyhow::Result<String> {
        let revoked_certs = serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2036, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

impl Issued {
    /// Writes the certificate and its key.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let with = |extension: &str| -> PathBuf { path.with_extension(extension) };
        std::fs::write(with("key"), &self.key)?;
        std::fs::write(with("pem"), &self.chain)
    }
}
