//! How the messages of a connection are encoded: in which codecs they come, and how they are compressed.
//!
//! Messages are compressed and inflated in the tasks of callers and handlers, on their way to and from the machine.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use rpc_core::compression::{Agreed, unpack};
use rpc_core::{
    Body, Code, CodecKind, Compression, Compressor, Error, ErrorKind, Fate, ItemBatch, ItemStream, Status,
};

use crate::connection::Shared;
use crate::limits::Limits;

/// What a side of a connection knows of encoding.
pub(crate) struct Coding {
    codecs: Arc<[CodecKind]>,
    compressors: Arc<[Compressor]>,
    message_bytes_max: u32,
    compression: Option<Compression>,
    agreed: OnceLock<Option<Agreed>>,
}

impl Coding {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            codecs: limits.codecs.clone(),
            compressors: limits.compressors.clone(),
            message_bytes_max: limits.config.settings.message_bytes_max,
            compression: limits.compression.clone(),
            agreed: OnceLock::new(),
        }
    }

    /// Finds the codec that a message came in.
    pub(crate) fn codec(&self, id: u8) -> Result<CodecKind, Status> {
        let known = self.codecs.iter().copied().find(|codec| codec.id() == id);
        known.ok_or_else(|| CodecKind::unsupported(id, &self.codecs))
    }

    /// Inflates a message that says how it is compressed.
    pub(crate) fn unpack(&self, message: &Bytes) -> Result<Bytes, Status> {
        unpack(message, &self.compressors, self.message_bytes_max)
    }
}

impl Shared {
    /// Returns what is agreed with the peer for what goes out to it; none where nothing is compressed. Its opening has been read.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        let compression = self.coding.compression.as_ref()?;
        let agree =
            |peer: &rpc_core::wire::Settings| compression.agree(&peer.compressors, peer.message_bytes_max);
        *self.coding.agreed.get_or_init(|| self.with(|machine| machine.peer_settings().and_then(agree)))
    }

    /// Tells whether a message is worth a turn elsewhere before it is sent: compressing it takes more time than a task costs.
    pub(crate) fn takes_time(&self, body: &Body) -> bool {
        self.agreed().is_some_and(|agreed| body.has_items() || agreed.is_tried(body.message()))
    }

    /// Compresses a message that opens or answers a call; none where that is not agreed or not worth it, and it goes out as it is.
    pub(crate) fn pack(&self, message: &Bytes, has_items: bool) -> Option<Bytes> {
        let agreed = self.agreed()?;
        // Where items follow, they may be compressed, so each message of this direction says whether it is.
        if has_items { Some(agreed.pack(message)) } else { agreed.compress(message) }
    }

    /// Compresses the items that follow a message that [`pack`](Self::pack) gave.
    pub(crate) fn pack_items(&self, items: ItemStream) -> ItemStream {
        match self.agreed() {
            Some(agreed) => ItemStream::of_batches(Packing { items, agreed }),
            None => items,
        }
    }
}

/// What a caller is told of an answer that cannot be read.
pub(crate) fn unreadable(status: &Status) -> Error {
    let kind = match status.code() {
        Code::ResourceExhausted => ErrorKind::LimitExceeded,
        _ => ErrorKind::Decode,
    };
    Error::new(kind, format!("the answer cannot be read: {}", status.message())).with_fate(Fate::Failed)
}

/// Items that are compressed when they are asked for.
struct Packing {
    items: ItemStream,
    agreed: Agreed,
}

impl Stream for Packing {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let agreed = self.agreed;
        let pack = |batch: ItemBatch| batch.map(|item| agreed.pack(&item)).collect();
        self.items.poll_batch(cx).map(|batch| batch.map(|batch| batch.map(pack)))
    }
}

/// Items that are inflated when they are asked for; the first that cannot be is an error, and the last.
pub(crate) struct Unpacking<F> {
    items: Option<ItemStream>,
    unpack: F,
}

impl<F: Fn(&Bytes) -> Result<Bytes, Error> + Unpin> Unpacking<F> {
    pub(crate) fn new(items: ItemStream, unpack: F) -> Self {
        Self { items: Some(items), unpack }
    }
}

impl<F: Fn(&Bytes) -> Result<Bytes, Error> + Unpin> Stream for Unpacking<F> {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(items) = &mut this.items else { return Poll::Ready(None) };
        let unpack = |batch: ItemBatch| batch.map(|item| (this.unpack)(&item)).collect();
        let batch = ready!(items.poll_batch(cx)).map(|batch| batch.and_then(unpack));
        if let None | Some(Err(_)) = batch {
            this.items = None;
        }
        Poll::Ready(batch)
    }
}
