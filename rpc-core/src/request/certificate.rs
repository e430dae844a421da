//! What a peer's certificate says of it.

use std::fmt;

use bytes::Bytes;

/// A certificate that a peer has proved to hold, and that this side's trust roots vouch for.
///
/// A handler reads it with [`Peer::certificate`](crate::Peer::certificate) to decide what its caller may do. Prefer [`uris`](Self::uris)
/// and [`dns_names`](Self::dns_names): authorities check them, while the common name is free text.
///
/// ```
/// use rpc_core::{Context, PeerCertificate};
/// fn may_write() -> bool {
///     let context = Context::current();
///     let certificate = context.peer().and_then(|peer| peer.certificate());
///     certificate.is_some_and(|certificate| certificate.uris().iter().any(|uri| uri == "spiffe://prod/billing"))
/// }
/// # assert!(!may_write());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    subject: String,
    common_name: Option<String>,
    dns_names: Vec<String>,
    uris: Vec<String>,
    serial: Vec<u8>,
    chain: Vec<Bytes>,
}

impl PeerCertificate {
    /// Describes a certificate that was verified, as a link does: its chain in DER, the peer's own first.
    pub fn new(chain: Vec<Bytes>) -> Self {
        let (subject, common_name, serial) = (String::new(), None, Vec::new());
        Self { subject, common_name, dns_names: Vec::new(), uris: Vec::new(), serial, chain }
    }

    /// Sets the subject: all its names as text, and the common name among them.
    #[must_use]
    pub fn with_subject(mut self, subject: String, common_name: Option<String>) -> Self {
        (self.subject, self.common_name) = (subject, common_name);
        self
    }

    /// Sets the alternative names: DNS names, and URIs.
    #[must_use]
    pub fn with_names(mut self, dns_names: Vec<String>, uris: Vec<String>) -> Self {
        (self.dns_names, self.uris) = (dns_names, uris);
        self
    }

    /// Sets the serial number, big-endian.
    #[must_use]
    pub fn with_serial(mut self, serial: Vec<u8>) -> Self {
        self.serial = serial;
        self
    }

    /// Returns the subject, such as `O=Farcall, CN=billing`; empty where the certificate names none.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the subject's common name; the last, where there are several.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// Returns the alternative names that are DNS names.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// Returns the alternative names that are URIs, such as a SPIFFE id.
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// Returns the serial number, big-endian, which is unique for its authority.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Returns the chain in DER as the peer has sent it, its own certificate first.
    pub fn chain(&self) -> &[Bytes] {
        &self.chain
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serial: String = self.serial.iter().map(|byte| format!("{byte:02x}")).collect();
        f.debug_struct("PeerCertificate")
            .field("subject", &self.subject)
            .field("dns_names", &self.dns_names)
            .field("uris", &self.uris)
            .field("serial", &serial)
            .finish_non_exhaustive()
    }
}
