//! The books of a run, kept by one who sees both sides: which calls were made, which handlers ran, how each call ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use farcall::Fate;
use tokio::time::Instant;

use crate::log::Log;
use crate::time::since;

/// The books; clones are of the same.
#[derive(Clone)]
pub struct Ledger {
    pub log: Log,
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    tries: BTreeMap<Try, Record>,
    /// Handlers under way.
    inside: u64,
}

/// One try of a call: a caller may repeat one that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Try {
    pub call: u64,
    pub attempt: u32,
}

#[derive(Default)]
struct Record {
    idempotent: bool,
    runs: u32,
    ends: Vec<End>,
}

/// How a try ended for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With all that was asked for.
    Done,
    /// A oneway call was sent.
    Sent,
    /// With the method's own error.
    OwnError,
    Failed(Fate),
    /// The caller dropped it.
    Dropped,
}

impl Ledger {
    pub fn new(log: Log) -> Self {
        Self { log, books: Arc::default() }
    }

    fn record<R>(&self, which: Try, change: impl FnOnce(&mut Record) -> R) -> R {
        change(self.books.lock().unwrap().tries.entry(which).or_default())
    }

    /// A caller makes a call.
    pub fn begin(&self, which: Try, idempotent: bool) {
        self.log.note(format_args!("call {which} begins"));
        self.record(which, |record| record.idempotent = idempotent);
    }

    /// A caller has its result.
    pub fn end(&self, which: Try, end: End) {
        self.log.note(format_args!("call {which} ends: {end:?}"));
        self.record(which, |record| record.ends.push(end));
    }

    /// A handler runs, until what this gives is dropped; no longer than until its deadline.
    pub fn run(&self, which: Try, timeout_ms: Option<u64>) -> Inside {
        self.log.note(format_args!("call {which} runs"));
        self.record(which, |record| record.runs += 1);
        self.books.lock().unwrap().inside += 1;
        Inside { ledger: self.clone(), which, start: Instant::now(), timeout_ms }
    }

    /// Returns how many handlers are under way.
    pub fn inside(&self) -> u64 {
        self.books.lock().unwrap().inside
    }

    /// Holds what happened against what may happen, once all calls have ended.
    pub fn check(&self) {
        let books = self.books.lock().unwrap();
        let mut runs: BTreeMap<u64, u32> = BTreeMap::new();
        for (which, Record { idempotent, runs: ran, ends }) in &books.tries {
            if ends.len() != 1 {
                self.log.wrong(format_args!("call {which} has ended {} times", ends.len()));
            }
            match ends.first() {
                Some(End::Failed(fate @ (Fate::NeverSent | Fate::Refused))) if *ran > 0 => {
                    self.log.wrong(format_args!("call {which} has run, and its caller was told {fate:?}"));
                }
                Some(end @ (End::Done | End::OwnError)) if *ran == 0 => {
                    self.log.wrong(format_args!("call {which} has not run, and ended: {end:?}"));
                }
                _ => {}
            }
            if !idempotent {
                *runs.entry(which.call).or_default() += ran;
            }
        }
        for (call, ran) in runs.iter().filter(|(_, ran)| **ran > 1) {
            self.log.wrong(format_args!("call {call} is not idempotent and has run {ran} times"));
        }
    }
}

impl std::fmt::Display for Try {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.call, self.attempt)
    }
}

/// Held by a handler while it runs.
pub struct Inside {
    ledger: Ledger,
    which: Try,
    start: Instant,
    timeout_ms: Option<u64>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let Self { ledger, which, start, timeout_ms } = self;
        let ran_ms = since(*start);
        // A timer is a millisecond late at most.
        if let Some(timeout_ms) = timeout_ms.filter(|timeout_ms| ran_ms > timeout_ms + 1) {
            ledger.log.wrong(format_args!("call {which} ran for {ran_ms} ms, and had {timeout_ms}"));
        }
        ledger.log.note(format_args!("call {which} leaves its handler"));
        ledger.books.lock().unwrap().inside -= 1;
    }
}
