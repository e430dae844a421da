//! What a request or a response carries: one message, and perhaps a stream of further ones.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::ItemStream;

/// An encoded message and, where the method streams, the items that follow it.
///
/// In a request the message holds the plain arguments; in a response it holds the result, or, for a method that answers with a stream,
/// whether there is one. Bytes are shared, so cloning the message costs a reference count.
pub struct Body {
    message: Bytes,
    // Never locked: it makes a body `Sync`, so that a reference to one can be held across an await.
    items: Option<Mutex<ItemStream>>,
}

impl Body {
    /// Creates a body of one message.
    pub fn new(message: Bytes) -> Self {
        Self { message, items: None }
    }

    /// Lets items follow the message.
    #[must_use]
    pub fn with_items(mut self, items: ItemStream) -> Self {
        self.items = Some(Mutex::new(items));
        self
    }

    /// Returns the message.
    pub fn message(&self) -> &Bytes {
        &self.message
    }

    /// Tells whether items follow.
    pub fn has_items(&self) -> bool {
        self.items.is_some()
    }

    pub(crate) fn take_items(&mut self) -> Option<ItemStream> {
        self.items.take().map(|items| items.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn map_items(self, change: impl FnOnce(ItemStream) -> ItemStream) -> Self {
        let (message, items) = self.into_parts();
        let body = Self::new(message);
        match items {
            Some(items) => body.with_items(change(items)),
            None => body,
        }
    }

    /// Takes the body apart.
    pub fn into_parts(mut self) -> (Bytes, Option<ItemStream>) {
        let items = self.take_items();
        (self.message, items)
    }

    /// Copies a body that is one message; a stream cannot be copied.
    pub fn try_clone(&self) -> Option<Self> {
        match self.items {
            None => Some(Self::new(self.message.clone())),
            Some(_) => None,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("message_bytes", &self.message.len())
            .field("items", &self.has_items())
            .finish()
    }
}
