//! Named values that travel beside a request or a response.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::trace::{BAGGAGE, TRACEPARENT, TRACESTATE};

/// Named values beside a call: tenant, credentials, trace ids.
///
/// Keys are lower-case ASCII (`a-z 0-9 - _ .`), 1 to 256 bytes; a key stands for one value, and inserting it again replaces it.
/// Values are text or bytes. All of it counts against the metadata limit (16 KiB unless set otherwise). An entry that is marked
/// to propagate goes along with the calls that a handler makes in turn.
///
/// ```
/// use rpc_core::Metadata;
/// let mut metadata = Metadata::new();
/// metadata.insert("tenant", "a1");
/// assert_eq!(metadata.text("tenant"), Some("a1"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    // Most calls carry none, so this is as small as can be: it is moved about with each of them.
    entries: Option<Box<Entries>>,
}

/// What is there where anything is: a few, for which a vector is smaller and faster than a map.
#[derive(Clone, PartialEq, Eq)]
struct Entries {
    /// Here, so that a lone one takes one piece of memory.
    first: Entry,
    more: Vec<Entry>,
}

impl Entries {
    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        std::iter::once(&mut self.first).chain(&mut self.more)
    }
}

/// What W3C Trace Context and Baggage name: it propagates whether it is marked or not.
const TRACE_KEYS: [&str; 3] = [TRACEPARENT, TRACESTATE, BAGGAGE];

/// One entry of [`Metadata`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(crate) key: Cow<'static, str>,
    pub(crate) value: Value,
    pub(crate) propagate: bool,
}

/// A value in [`Metadata`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    Text(String),
    /// Any bytes.
    Binary(Bytes),
}

impl Metadata {
    /// Creates metadata without entries; it takes no memory.
    pub const fn new() -> Self {
        Self { entries: None }
    }

    /// Sets a value for this call only.
    ///
    /// # Panics
    /// Where [`is_valid_key`](Self::is_valid_key) says no.
    #[track_caller]
    pub fn insert(&mut self, key: &str, value: impl Into<Value>) {
        self.put(key, value.into(), false);
    }

    /// Sets a value for this call and for the calls that its handler makes in turn.
    ///
    /// # Panics
    /// Where [`is_valid_key`](Self::is_valid_key) says no.
    #[track_caller]
    pub fn propagate(&mut self, key: &str, value: impl Into<Value>) {
        self.put(key, value.into(), true);
    }

    #[track_caller]
    fn put(&mut self, key: &str, value: Value, propagate: bool) {
        assert!(Self::is_valid_key(key), "metadata key {key:?} must be 1 to 256 of a-z 0-9 - _ .");
        self.set(Entry { key: own(key), value, propagate });
    }

    /// Adds an entry whose key is not there.
    pub(crate) fn push(&mut self, entry: Entry) {
        match &mut self.entries {
            Some(entries) => entries.more.push(entry),
            None => self.entries = Some(Box::new(Entries { first: entry, more: Vec::new() })),
        }
    }

    pub(crate) fn set(&mut self, entry: Entry) {
        let known =
            self.entries.as_mut().and_then(|entries| entries.iter_mut().find(|known| known.key == entry.key));
        match known {
            Some(known) => *known = entry,
            None => self.push(entry),
        }
    }

    /// Tells whether a key has the form that metadata asks for.
    pub fn is_valid_key(key: &str) -> bool {
        (1..=256).contains(&key.len())
            && key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
    }

    /// Returns a value.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Returns a value that is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            Value::Binary(_) => None,
        }
    }

    /// Returns a value that is bytes.
    pub fn binary(&self, key: &str) -> Option<&Bytes> {
        match self.value(key)? {
            Value::Binary(bytes) => Some(bytes),
            Value::Text(_) => None,
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.iter().position(|entry| entry.key == key)?;
        let mut entries = self.entries.take()?;
        let removed = match index.checked_sub(1) {
            Some(index) => entries.more.remove(index),
            None if entries.more.is_empty() => return Some(entries.first.value),
            None => std::mem::replace(&mut entries.first, entries.more.remove(0)),
        };
        self.entries = Some(entries);
        Some(removed.value)
    }

    /// Tells whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_none()
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| entries.more.len().saturating_add(1))
    }

    /// Goes through the entries in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flat_map(|entries| std::iter::once(&entries.first).chain(&entries.more))
    }

    /// Adds what another call's metadata marks to propagate, without replacing what is set here.
    pub(crate) fn inherit(&mut self, parent: &Self) {
        for entry in parent.iter().filter(|entry| entry.propagate || TRACE_KEYS.contains(&entry.key())) {
            if self.value(&entry.key).is_none() {
                self.push(entry.clone());
            }
        }
    }
}

/// Keeps a key; those that come with most calls take no memory.
pub(crate) fn own(key: &str) -> Cow<'static, str> {
    match TRACE_KEYS.into_iter().find(|known| *known == key) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(key.to_owned()),
    }
}

impl Entry {
    /// Returns the key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Tells whether the entry goes along with the calls that a handler makes in turn.
    pub fn propagates(&self) -> bool {
        self.propagate
    }
}

// Values may be credentials: a log shows the keys only.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Entry::key)).finish()
    }
}

impl Value {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(bytes))
    }
}

#[cfg(test)]
mod tests;
