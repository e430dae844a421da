//! The service under load: a method for each shape of call, and for each way in which a handler goes wrong.

use std::future::pending;
use std::panic::panic_any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farcall::{Streaming, service};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::ledger::Ledger;
use crate::pattern;

/// What handlers panic with.
pub(crate) const ON_PURPOSE: &str = "on purpose";

/// Whose bytes an answer to this call consists of: not the request's, so that an echo is not taken for an answer.
pub(crate) fn answer_to(call: u64) -> u64 {
    !call
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LabError {
    /// The method fails because the call with this id asks for it.
    Asked(u64),
    /// The caller's stream broke off.
    Broken(String),
}

/// An item of a stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    owner: u64,
    index: u64,
    bytes: Bytes,
}

impl Part {
    pub(crate) fn new(owner: u64, index: u64, length: usize) -> Self {
        Self { owner, index, bytes: pattern::bytes_of(owner ^ index, length) }
    }

    /// Tells what is wrong with it in this place of its stream.
    pub(crate) fn check(&self, owner: u64, index: u64, length: usize) -> Result<(), String> {
        if (self.owner, self.index) != (owner, index) {
            let Self { owner: got_owner, index: got_index, .. } = self;
            return Err(format!("item {got_index} of {got_owner} came in place of item {index} of {owner}"));
        }
        pattern::check(&self.bytes, owner ^ index, length)
            .map_err(|fault| format!("item {index} of {owner}: {fault}"))
    }
}

#[service]
pub(crate) trait Lab {
    /// Checks a body and answers with another one.
    async fn work(&self, call: u64, body: Bytes, length: u64, answer_length: u64) -> Bytes;
    /// Answers after a while.
    async fn late(&self, call: u64, after: Duration) -> u64;
    async fn fail(&self, call: u64) -> Result<(), LabError>;
    /// Never answers.
    async fn hang(&self, call: u64);
    async fn boom(&self, call: u64);
    #[rpc(oneway)]
    async fn note(&self, call: u64);
    fn parts(&self, call: u64, count: u64, length: u64) -> impl Stream<Item = Part> + Send;
    /// Sends so many items and panics.
    fn boom_later(&self, call: u64, count: u64) -> impl Stream<Item = Part> + Send;
    /// Counts the items.
    async fn count(&self, call: u64, count: u64, parts: Streaming<Part>) -> Result<u64, LabError>;
    /// Answers each item with one of its own.
    async fn relay(
        &self,
        call: u64,
        parts: Streaming<Part>,
    ) -> Result<impl Stream<Item = Result<Part, LabError>> + Send, LabError>;
}

/// How long the items are that a caller sends.
pub(crate) const SENT_LENGTH: usize = 300;
/// How long the items are that answer those.
pub(crate) const RELAYED_LENGTH: usize = 500;

#[derive(Clone)]
pub(crate) struct Bench(pub(crate) Arc<Ledger>);

impl Bench {
    fn checked(&self, what: &str, call: u64, result: Result<(), String>) {
        if let Err(fault) = result {
            self.0.wrong(format!("what {what} of call {call} got is not what was sent: {fault}"));
        }
    }
}

impl Lab for Bench {
    async fn work(&self, call: u64, body: Bytes, length: u64, answer_length: u64) -> Bytes {
        let _inside = self.0.enter(call);
        self.checked("work", call, pattern::check(&body, call, length as usize));
        pattern::bytes_of(answer_to(call), answer_length as usize)
    }

    async fn late(&self, call: u64, after: Duration) -> u64 {
        let _inside = self.0.enter(call);
        sleep(after).await;
        answer_to(call)
    }

    async fn fail(&self, call: u64) -> Result<(), LabError> {
        let _inside = self.0.enter(call);
        Err(LabError::Asked(call))
    }

    async fn hang(&self, call: u64) {
        let _inside = self.0.enter(call);
        pending().await
    }

    async fn boom(&self, call: u64) {
        let _inside = self.0.enter(call);
        panic_any(ON_PURPOSE)
    }

    async fn note(&self, call: u64) {
        let _inside = self.0.enter(call);
    }

    fn parts(&self, call: u64, count: u64, length: u64) -> impl Stream<Item = Part> + Send {
        let inside = self.0.enter(call);
        stream::iter(0..count).map(move |index| {
            let _ = &inside;
            Part::new(answer_to(call), index, length as usize)
        })
    }

    fn boom_later(&self, call: u64, count: u64) -> impl Stream<Item = Part> + Send {
        let inside = self.0.enter(call);
        stream::iter(0..=count).map(move |index| {
            let _ = &inside;
            if index == count {
                panic_any(ON_PURPOSE);
            }
            Part::new(answer_to(call), index, 1)
        })
    }

    async fn count(&self, call: u64, count: u64, mut parts: Streaming<Part>) -> Result<u64, LabError> {
        let _inside = self.0.enter(call);
        let mut counted = 0;
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| LabError::Broken(error.to_string()))?;
            self.checked("count", call, part.check(call, counted, SENT_LENGTH));
            self.0.item();
            counted += 1;
        }
        if counted != count {
            self.0.wrong(format!("the stream of call {call} ended after {counted} of {count} items"));
        }
        Ok(counted)
    }

    async fn relay(
        &self,
        call: u64,
        parts: Streaming<Part>,
    ) -> Result<impl Stream<Item = Result<Part, LabError>> + Send, LabError> {
        let inside = self.0.enter(call);
        Ok(parts.enumerate().map(move |(index, part)| {
            let _ = &inside;
            let part = part.map_err(|error| LabError::Broken(error.to_string()))?;
            self.checked("relay", call, part.check(call, index as u64, SENT_LENGTH));
            self.0.item();
            Ok(Part::new(answer_to(call), index as u64, RELAYED_LENGTH))
        }))
    }
}
