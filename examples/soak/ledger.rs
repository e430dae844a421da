//! What became of each call: opened here, run there, ended here. Both sides are in this process, so each can be held against the other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farcall::{Error, ErrorKind, Fate};
use tokio::sync::watch;

/// So many calls are remembered, the latest; enough for minutes, so that a handler that runs long after its call has ended is noticed.
const REMEMBERED: usize = 1 << 20;
/// So many complaints are kept.
const COMPLAINTS_MAX: usize = 20;

/// A word of the record is a call's id above these bits.
const FLAG_BITS: u32 = 4;
/// Its handler was called.
const RAN: u64 = 1;
/// Its caller knows how it ended.
const ENDED: u64 = 2;
/// Its caller was told that the handler did not run.
const NOT_RUN: u64 = 4;
/// Its handler is done, or was dropped.
const LEFT: u64 = 8;

/// Follows all calls in constant memory.
pub(crate) struct Ledger {
    record: Box<[AtomicU64]>,
    /// Ids given so far, which begin at 1.
    opened: AtomicU64,
    handlers: AtomicU64,
    items: AtomicU64,
    counts: Mutex<Counts>,
    complaints: watch::Sender<Vec<String>>,
}

/// How calls have ended.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    /// In whatever way.
    pub(crate) ended: u64,
    pub(crate) answered: u64,
    /// Oneway calls, which have no answer.
    pub(crate) sent: u64,
    pub(crate) cancelled: u64,
    pub(crate) failed: HashMap<ErrorKind, u64>,
    /// Those of the failed that were told that no handler ran.
    pub(crate) not_run: u64,
}

/// How one call has ended.
pub(crate) enum End {
    Answered,
    Sent,
    Cancelled,
    Failed(Error),
    /// In a way in which no call may end.
    Wrong(String),
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            // Not zero, so that the pages are there from the start and do not look like growth.
            record: (0..REMEMBERED).map(|_| AtomicU64::new(ENDED)).collect(),
            opened: AtomicU64::new(0),
            handlers: AtomicU64::new(0),
            items: AtomicU64::new(0),
            counts: Mutex::default(),
            complaints: watch::Sender::default(),
        }
    }

    /// Notes a call that is about to be made.
    pub(crate) fn open(self: &Arc<Self>) -> Ticket {
        let id = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let previous = self.word(id).swap(id << FLAG_BITS, Ordering::Relaxed);
        if previous & ENDED == 0 {
            let id = previous >> FLAG_BITS;
            self.wrong(format!("call {id} is still under way, {REMEMBERED} calls later"));
        }
        Ticket { ledger: self.clone(), id, has_ended: false }
    }

    /// Notes that the handler of a call runs, until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>, id: u64) -> Inside {
        let word = self.mark(id, RAN);
        if word >> FLAG_BITS != id {
            self.wrong(format!("call {id} runs, but {REMEMBERED} others were made since"));
        }
        if word & RAN != 0 {
            self.wrong(format!("call {id} runs twice"));
        }
        if word & NOT_RUN != 0 {
            self.wrong(format!("call {id} runs, and its caller was told that it does not"));
        }
        self.handlers.fetch_add(1, Ordering::Relaxed);
        Inside { ledger: self.clone(), id }
    }

    /// Tells whether the handler of a call was called.
    pub(crate) fn has_run(&self, id: u64) -> bool {
        self.word(id).load(Ordering::Relaxed) & RAN != 0
    }

    /// Tells whether the handler of a call runs now.
    pub(crate) fn is_running(&self, id: u64) -> bool {
        self.word(id).load(Ordering::Relaxed) & (RAN | LEFT) == RAN
    }

    /// Notes that an item has arrived, in its place and whole.
    pub(crate) fn item(&self) {
        self.items.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes something that must not be, which ends the soak.
    pub(crate) fn wrong(&self, complaint: String) {
        self.complaints.send_modify(|complaints| {
            if complaints.len() < COMPLAINTS_MAX {
                complaints.push(complaint);
            }
        });
    }

    /// Waits until something is wrong.
    pub(crate) async fn is_wrong(&self) {
        let mut complaints = self.complaints.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = complaints.wait_for(|complaints| !complaints.is_empty()).await;
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.borrow().clone()
    }

    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub(crate) fn items(&self) -> u64 {
        self.items.load(Ordering::Relaxed)
    }

    /// Returns how many handlers run now.
    pub(crate) fn handlers(&self) -> u64 {
        self.handlers.load(Ordering::Relaxed)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn end(&self, id: u64, end: End) {
        let is_not_run = matches!(&end, End::Failed(error) if !error.may_have_run());
        let word = self.mark(id, if is_not_run { ENDED | NOT_RUN } else { ENDED });
        let has_run = word & RAN != 0;
        let mut counts = self.lock();
        counts.ended += 1;
        match end {
            End::Answered if !has_run => self.wrong(format!("call {id} was answered and has not run")),
            End::Answered => counts.answered += 1,
            End::Sent => counts.sent += 1,
            End::Cancelled => counts.cancelled += 1,
            End::Failed(error) => {
                if is_not_run && has_run {
                    self.wrong(format!(
                        "call {id} has run, and its caller was told that it has not: {error:?}"
                    ));
                }
                *counts.failed.entry(error.kind()).or_default() += 1;
                counts.not_run += u64::from(matches!(error.fate(), Fate::NeverSent | Fate::Refused));
            }
            End::Wrong(complaint) => self.wrong(format!("call {id}: {complaint}")),
        }
    }

    /// Sets flags of a call and returns what was there, which is of another call where this one is forgotten.
    fn mark(&self, id: u64, flags: u64) -> u64 {
        let set = |word: u64| (word >> FLAG_BITS == id).then_some(word | flags);
        match self.word(id).fetch_update(Ordering::Relaxed, Ordering::Relaxed, set) {
            Ok(word) | Err(word) => word,
        }
    }

    fn word(&self, id: u64) -> &AtomicU64 {
        &self.record[id as usize % REMEMBERED]
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that has not ended yet; dropping it says that it was cancelled.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    pub(crate) id: u64,
    has_ended: bool,
}

impl Ticket {
    pub(crate) fn end(mut self, end: End) {
        self.has_ended = true;
        self.ledger.end(self.id, end);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.has_ended {
            self.ledger.end(self.id, End::Cancelled);
        }
    }
}

/// A handler that runs.
pub(crate) struct Inside {
    ledger: Arc<Ledger>,
    id: u64,
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.ledger.mark(self.id, LEFT);
        self.ledger.handlers.fetch_sub(1, Ordering::Relaxed);
    }
}
