//! Named values that travel with a trace.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::{members, trim};

/// So many members are passed on.
const MEMBERS_MAX: usize = 64;
/// So many bytes are passed on, commas included.
const BYTES_MAX: usize = 8192;

/// W3C `baggage`: named values that go along with a call and with all that it causes, to every service that it reaches.
///
/// At most 64 members and 8,192 bytes: what is over, or malformed, is dropped, a whole member at a time. Any caller may send it, and
/// every service further on reads it: it is no place for secrets, and no proof of anything.
///
/// ```
/// use rpc_core::{BAGGAGE, Baggage};
/// let mut baggage = Baggage::new();
/// assert!(baggage.insert("tenant", "Müller & Söhne"));
/// let (key, value) = (BAGGAGE, baggage.to_string()); // call.metadata(key, value)
/// assert_eq!(Baggage::parse(&value).value("tenant").as_deref(), Some("Müller & Söhne"));
/// # let _ = key;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage {
    text: String,
    len: usize,
}

impl Baggage {
    /// Creates baggage without members.
    pub const fn new() -> Self {
        Self { text: String::new(), len: 0 }
    }

    /// Reads a `baggage` value; members that are malformed, and those that are too many, are left out.
    pub fn parse(text: &str) -> Self {
        let mut baggage = Self::new();
        for member in members(text).filter(|member| is_member(member)) {
            baggage.push(member);
        }
        baggage
    }

    /// Returns the value of the first member with this key, decoded.
    pub fn value(&self, key: &str) -> Option<Cow<'_, str>> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Sets a member, in the place of all with its key; false where the key is none (letters, digits and ``!#$%&'*+-.^_`|~``) or there is
    /// no room.
    #[must_use = "a member that does not fit is not set"]
    pub fn insert(&mut self, key: &str, value: &str) -> bool {
        let mut changed = Self::new();
        for member in
            members(&self.text).filter(|member| parts(member).is_some_and(|(known, _)| known != key))
        {
            changed.push(member);
        }
        let fits = is_token(key) && changed.push(&format!("{key}={}", encode(value)));
        if fits {
            *self = changed;
        }
        fits
    }

    /// Goes through the members: keys, and decoded values. What further properties a member has is not shown.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        members(&self.text).filter_map(parts).map(|(key, value)| (key, decode(value)))
    }

    /// Tells whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns it as a `baggage` value.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Adds a member if there is room.
    fn push(&mut self, member: &str) -> bool {
        let bytes = self.text.len().saturating_add(usize::from(self.len > 0)).saturating_add(member.len());
        if self.len == MEMBERS_MAX || bytes > BYTES_MAX {
            return false;
        }
        if self.len > 0 {
            self.text.push(',');
        }
        self.text.push_str(member);
        self.len = self.len.saturating_add(1);
        true
    }
}

/// Writes it as a `baggage` value.
impl fmt::Display for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The key and the encoded value of a member, without its properties.
fn parts(member: &str) -> Option<(&str, &str)> {
    let (key, value) = member.split(';').next()?.split_once('=')?;
    Some((trim(key), trim(value)))
}

fn is_member(member: &str) -> bool {
    let are_properties = member.split(';').skip(1).all(|property| match property.split_once('=') {
        None => is_token(trim(property)),
        Some((key, value)) => is_token(trim(key)) && trim(value).bytes().all(is_octet),
    });
    let is_pair = |(key, value): (&str, &str)| is_token(key) && value.bytes().all(is_octet);
    are_properties && parts(member).is_some_and(is_pair)
}

/// A token as HTTP has it.
fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_char)
}

/// What may stand in a value: visible ASCII without `"`, `,`, `;` and `\`.
fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

fn encode(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut text, byte| {
        match byte {
            b'%' => text.push_str("%25"),
            _ if is_octet(byte) => text.push(char::from(byte)),
            // Writing into a string does not fail.
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
        text
    })
}

/// Puts bytes in the place of `%XX`; what is no UTF-8 then becomes U+FFFD, and what is no `%XX` stays.
fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let decoded = match (first, after) {
            (b'%', [high, low, after @ ..]) => digit(*high).zip(digit(*low)).map(|pair| (pair, after)),
            _ => None,
        };
        let (byte, after) = match decoded {
            Some(((high, low), after)) => (high << 4 | low, after),
            None => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
