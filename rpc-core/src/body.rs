//! What a request or a response carries: one message, and perhaps a stream of further ones.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use crate::{ItemStream, buffers};

/// An encoded message and, where the method streams, the items that follow it.
///
/// In a request the message holds the plain arguments; in a response it holds the result, or, for a method that answers with a stream,
/// whether there is one. Bytes are shared, so cloning the message costs a reference count.
pub struct Body {
    message: Bytes,
    /// A message in parts; `message` is empty then.
    apart: Option<Box<Apart>>,
    // Never locked: it makes a body `Sync`, so that a reference to one can be held across an await. Apart: most have none, and bodies are
    // moved about.
    items: Option<Box<Mutex<ItemStream>>>,
}

impl Body {
    /// Creates a body of one message.
    pub fn new(message: Bytes) -> Self {
        Self { message, apart: None, items: None }
    }

    /// Puts large parts into the message, each behind so many of its bytes, without copying them.
    #[must_use]
    pub(crate) fn with_parts(self, large: Vec<(usize, Bytes)>) -> Self {
        let (mut rest, mut taken) = (self.message, 0_usize);
        let mut parts = Vec::with_capacity(large.len().saturating_mul(2).saturating_add(1));
        for (at, part) in large {
            parts.push(rest.split_to(at.saturating_sub(taken).min(rest.len())));
            parts.push(part);
            taken = at;
        }
        parts.push(rest);
        let apart = Some(Box::new(Apart { parts, whole: OnceLock::new() }));
        Self { message: Bytes::new(), apart, items: self.items }
    }

    /// Lets items follow the message.
    #[must_use]
    pub fn with_items(mut self, items: ItemStream) -> Self {
        self.put_items(items);
        self
    }

    fn put_items(&mut self, items: ItemStream) {
        self.items = Some(Box::new(Mutex::new(items)));
    }

    /// Returns the message.
    ///
    /// Large `Bytes` in an encoded value are not copied into its message before somebody asks for that; who only asks how long it is, asks
    /// [`message_bytes`](Self::message_bytes).
    pub fn message(&self) -> &Bytes {
        match &self.apart {
            None => &self.message,
            Some(apart) => apart.whole.get_or_init(|| joined(&apart.parts)),
        }
    }

    /// Returns how long the message is.
    pub fn message_bytes(&self) -> usize {
        match &self.apart {
            None => self.message.len(),
            Some(apart) => apart.parts.iter().map(Bytes::len).fold(0, usize::saturating_add),
        }
    }

    /// Returns the message as it lies in memory: its parts, of which there is one as a rule.
    pub fn message_parts(&self) -> &[Bytes] {
        let Some(apart) = &self.apart else { return std::slice::from_ref(&self.message) };
        match apart.whole.get() {
            Some(whole) => std::slice::from_ref(whole),
            None => &apart.parts,
        }
    }

    /// Tells whether items follow.
    pub fn has_items(&self) -> bool {
        self.items.is_some()
    }

    /// Takes the items out that follow the message, where there are any.
    pub fn take_items(&mut self) -> Option<ItemStream> {
        self.items.take().map(|items| items.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets go of the parts that the message was put together from.
    pub(crate) fn whole(mut self) -> Self {
        if self.apart.is_some() {
            self.message = self.message().clone();
            self.apart = None;
        }
        self
    }

    pub(crate) fn change_items(&mut self, change: impl FnOnce(ItemStream) -> ItemStream) {
        if let Some(items) = self.take_items() {
            self.put_items(change(items));
        }
    }

    /// Takes the body apart.
    pub fn into_parts(mut self) -> (Bytes, Option<ItemStream>) {
        let items = self.take_items();
        (self.whole().message, items)
    }

    /// Copies a body that is one message; a stream cannot be copied.
    pub fn try_clone(&self) -> Option<Self> {
        match self.items {
            None => Some(Self { message: self.message.clone(), apart: self.apart.clone(), items: None }),
            Some(_) => None,
        }
    }
}

/// A message in parts.
#[derive(Clone)]
struct Apart {
    parts: Vec<Bytes>,
    /// Once somebody has asked for it.
    whole: OnceLock<Bytes>,
}

/// Copies parts into one; one that is alone is shared.
pub(crate) fn joined<'p>(parts: impl IntoIterator<Item = &'p Bytes, IntoIter: Clone>) -> Bytes {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let mut first_two = parts.clone();
    if let (Some(only), None) = (first_two.next(), first_two.next()) {
        return only.clone();
    }
    let bytes = parts.clone().map(Bytes::len).fold(0, usize::saturating_add);
    let mut joined = buffers::take(bytes);
    parts.for_each(|part| joined.extend_from_slice(part));
    buffers::freeze(joined)
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("message_bytes", &self.message_bytes())
            .field("items", &self.has_items())
            .finish()
    }
}
