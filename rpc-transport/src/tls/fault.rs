//! What went wrong in a handshake, and what to do about it.

use std::{fmt, io};

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// The side that has found a fault, or was told of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    fn own(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    fn peer(self) -> &'static str {
        match self {
            Self::Client => "server",
            Self::Server => "client",
        }
    }

    /// Where this side's trust roots are set.
    fn roots(self) -> &'static str {
        match self {
            Self::Client => "TlsClient::builder",
            Self::Server => "TlsServerBuilder::require_clients or accept_clients",
        }
    }
}

/// A fault in words; its source is rustls' own.
#[derive(Debug)]
struct Fault {
    text: String,
    source: Error,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Puts an error of a TLS stream into words; one of the link below is left as it is.
pub(super) fn explain(error: io::Error, side: Side) -> io::Error {
    let Some(fault) = of_rustls(&error) else { return error };
    let text = in_words(fault, side);
    io::Error::new(error.kind(), Fault { text, source: fault.clone() })
}

/// Says what an error of a TLS stream means.
pub(super) fn words(error: &io::Error, side: Side) -> String {
    of_rustls(error).map_or_else(|| error.to_string(), |fault| in_words(fault, side))
}

fn of_rustls(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn in_words(fault: &Error, side: Side) -> String {
    let (own, peer) = (side.own(), side.peer());
    match fault {
        Error::InvalidCertificate(fault) => of_certificate(fault, side),
        Error::NoCertificatesPresented => {
            format!("the {peer} has shown no certificate, which this {own} requires")
        }
        Error::AlertReceived(alert) => of_alert(*alert, side),
        Error::NoApplicationProtocol => {
            format!("the {peer} speaks TLS and another protocol than farcall/1 in it (ALPN)")
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("the {peer} does not speak TLS: use tcp:// for it, or turn TLS on there")
        }
        Error::PeerIncompatible(
            PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::Tls13RequiredForQuic,
        ) => format!("the two sides share no version of TLS: compare their TlsVersions ({fault})"),
        _ => format!("the {peer} cannot be spoken to: {fault}"),
    }
}

/// The peer's certificate does not pass here.
fn of_certificate(fault: &CertificateError, side: Side) -> String {
    let peer = side.peer();
    match fault {
        CertificateError::UnknownIssuer => format!(
            "the {peer}'s certificate is from an authority that is not trusted here: add its root to {}",
            side.roots()
        ),
        CertificateError::NotValidForName => format!("the {peer}'s certificate is for another name"),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the {peer}'s certificate is not for {}, but for {}: call it by that name, or set TlsClientBuilder::server_name",
            expected.to_str(),
            presented.join(", ")
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the {peer}'s certificate has expired: renew it, or mend this machine's clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the {peer}'s certificate is not valid yet: mend this machine's clock, or wait")
        }
        CertificateError::Revoked => {
            format!("the {peer}'s certificate has been revoked: it needs another")
        }
        CertificateError::UnknownRevocationStatus => format!(
            "no revocation list covers the {peer}'s certificate: give the list of each authority in its chain"
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!(
                "the {peer}'s certificate is not meant for a {peer}: issue it with that extended key usage"
            )
        }
        other => format!("the {peer}'s certificate is not valid: {other}"),
    }
}

/// Says what an alert means that a peer has sent, by its number.
#[cfg(feature = "quic")]
pub(crate) fn alert_in_words(number: u8, side: Side) -> String {
    of_alert(AlertDescription::from(number), side)
}

/// The peer has refused this side, and said why.
fn of_alert(alert: AlertDescription, side: Side) -> String {
    let (own, peer) = (side.own(), side.peer());
    match alert {
        AlertDescription::CertificateRequired => {
            format!("the {peer} requires a client certificate: set one with TlsClientBuilder::identity")
        }
        AlertDescription::UnknownCA => format!(
            "the {peer} does not trust the authority of this {own}'s certificate: its trust roots must hold it"
        ),
        AlertDescription::CertificateRevoked => {
            format!("the {peer} says that this {own}'s certificate has been revoked: get another")
        }
        AlertDescription::CertificateExpired => {
            format!("the {peer} says that this {own}'s certificate has expired: renew it")
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            format!("the {peer} does not accept this {own}'s certificate: its log says why ({alert:?})")
        }
        AlertDescription::ProtocolVersion => format!(
            "the {peer} does not speak this version of TLS: it may be a plain tcp:// port, or the two sides' TlsVersions differ"
        ),
        AlertDescription::NoApplicationProtocol => {
            format!("the {peer} speaks TLS, but not farcall in it (ALPN): check the address")
        }
        AlertDescription::HandshakeFailure => format!(
            "the {peer} has refused the handshake: the two sides share no cipher, or a certificate is missing ({alert:?})"
        ),
        _ => format!("the {peer} has ended the handshake with the alert {alert:?}: its log says why"),
    }
}
