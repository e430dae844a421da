//! What a certificate says: names, serial number, and until when it is valid.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode, ErrorKind, Reader, Result, SliceReader, Tag, TagNumber};
use rpc_core::PeerCertificate;
use rustls::pki_types::CertificateDer;

/// Reads what the verified certificate of a peer says.
///
/// # Errors
/// It is no certificate, which one that was verified is not.
pub(super) fn of_peer(chain: &[CertificateDer<'_>]) -> Result<PeerCertificate> {
    let own = chain.first().ok_or(ErrorKind::Failed)?;
    let read = Certificate::read(own)?;
    let (subject, common_name) = subject(read.subject)?;
    let (dns_names, uris) = alternative_names(read.extensions)?;
    let chain = chain.iter().map(|der| Bytes::copy_from_slice(der)).collect();
    Ok(PeerCertificate::new(chain)
        .with_subject(subject, common_name)
        .with_names(dns_names, uris)
        .with_serial(read.serial.to_vec()))
}

/// Tells whether a certificate has expired.
///
/// # Errors
/// It is no certificate.
pub(super) fn has_expired(der: &[u8], now: SystemTime) -> Result<bool> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Certificate::read(der)?.not_after < now)
}

/// The parts of a certificate that matter here (RFC 5280, section 4.1).
struct Certificate<'a> {
    serial: &'a [u8],
    subject: &'a [u8],
    not_after: Duration,
    extensions: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    fn read(der: &'a [u8]) -> Result<Self> {
        let signed = AnyRef::from_der(der)?;
        let content = items(signed.value())?.next().ok_or(ErrorKind::Failed)?;
        let mut fields = items(content.value())?.peekable();
        // The version stands before the serial number unless it is 1.
        fields.next_if(|field| field.header().tag() != Tag::Integer);
        let mut next = || fields.next().ok_or(ErrorKind::Failed);
        let serial = next()?.value();
        let (_algorithm, _issuer) = (next()?, next()?);
        let not_after = items(next()?.value())?.nth(1).ok_or(ErrorKind::Failed)?;
        let subject = next()?.value();
        let extensions = fields.find(|field| is_tagged(field, TagNumber(3))).map(AnyRef::value);
        // A sign bit takes a byte of its own.
        let serial = serial.strip_prefix(&[0]).unwrap_or(serial);
        Ok(Self { serial, subject, not_after: since_epoch(not_after)?, extensions })
    }
}

/// Cuts what a SEQUENCE or a SET holds into its items.
fn items(content: &[u8]) -> Result<impl Iterator<Item = AnyRef<'_>>> {
    let mut reader = SliceReader::new(content)?;
    let mut items = Vec::new();
    while !reader.is_finished() {
        items.push(AnyRef::decode(&mut reader)?);
    }
    Ok(items.into_iter())
}

fn is_tagged(field: &AnyRef<'_>, wanted: TagNumber) -> bool {
    matches!(field.header().tag(), Tag::ContextSpecific { number, .. } if number == wanted)
}

fn since_epoch(time: AnyRef<'_>) -> Result<Duration> {
    match time.header().tag() {
        Tag::UtcTime => Ok(time.decode_as::<UtcTime>()?.to_unix_duration()),
        _ => Ok(time.decode_as::<GeneralizedTime>()?.to_unix_duration()),
    }
}

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// The names that a subject has most often (RFC 4519, section 2).
const ATTRIBUTES: [(ObjectIdentifier, &str); 6] = [
    (COMMON_NAME, "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
];

/// Writes a subject as text in the order of the certificate, and finds its common name.
fn subject(names: &[u8]) -> Result<(String, Option<String>)> {
    let (mut texts, mut common_name) = (Vec::new(), None);
    for set in items(names)? {
        for attribute in items(set.value())? {
            let mut parts = items(attribute.value())?;
            let (Some(kind), Some(value)) = (parts.next(), parts.next()) else { continue };
            let kind = kind.decode_as::<ObjectIdentifier>()?;
            let value = String::from_utf8_lossy(value.value()).into_owned();
            match ATTRIBUTES.iter().find(|(known, _)| *known == kind) {
                Some((_, name)) => texts.push(format!("{name}={value}")),
                None => texts.push(format!("{kind}={value}")),
            }
            if kind == COMMON_NAME {
                common_name = Some(value);
            }
        }
    }
    Ok((texts.join(", "), common_name))
}

/// Finds the alternative names that are DNS names, and those that are URIs (RFC 5280, section 4.2.1.6).
fn alternative_names(extensions: Option<&[u8]>) -> Result<(Vec<String>, Vec<String>)> {
    let (mut dns_names, mut uris) = (Vec::new(), Vec::new());
    let Some(list) = extensions.map(AnyRef::from_der).transpose()? else { return Ok((dns_names, uris)) };
    for extension in items(list.value())? {
        let mut parts = items(extension.value())?;
        let (Some(kind), Some(value)) = (parts.next(), parts.last()) else { continue };
        if kind.decode_as::<ObjectIdentifier>()? != ALTERNATIVE_NAMES {
            continue;
        }
        for name in items(AnyRef::from_der(value.value())?.value())? {
            let text = || String::from_utf8_lossy(name.value()).into_owned();
            if is_tagged(&name, TagNumber(2)) {
                dns_names.push(text());
            } else if is_tagged(&name, TagNumber(6)) {
                uris.push(text());
            }
        }
    }
    Ok((dns_names, uris))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_an_error() {
        for bytes in
            [&b""[..], b"\x30", b"\x30\x00", b"\x30\x02\x30\x00", b"\x30\x84\xff\xff\xff\xff", &[0x30; 64]]
        {
            assert!(has_expired(bytes, SystemTime::now()).is_err(), "{bytes:?}");
            assert!(of_peer(&[CertificateDer::from(bytes)]).is_err(), "{bytes:?}");
        }
        assert!(of_peer(&[]).is_err());
    }
}
