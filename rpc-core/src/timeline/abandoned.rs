//! How a call that is given up says how far it got.
//!
//! Who gives a call up drops its future, and does not know what that was waiting for; the future does. While it is dropped, it can leave
//! word for whoever drops it. So nothing is kept beside calls that succeed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Instant;

use super::Timeline;
use crate::MethodDescriptor;

thread_local! {
    /// The time as it was when the call began whose first poll this is.
    static READING: Cell<Option<Instant>> = const { Cell::new(None) };
    /// What the future that is being dropped says.
    static WORD: RefCell<Listening> = const { RefCell::new(Listening::No) };
}

/// How far a call got that was given up.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs)] // channels make them
pub struct Abandoned {
    /// Whom it was to reach.
    pub peer: String,
    /// What it called, where that is known.
    pub method: Option<&'static MethodDescriptor>,
    /// Where its time went.
    pub timeline: Timeline,
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, method, timeline } = self;
        match method {
            Some(method) => write!(f, "{method} at {peer} [{timeline}]"),
            None => write!(f, "{peer} [{timeline}]"),
        }
    }
}

#[derive(Debug)]
enum Listening {
    No,
    Yes,
    Heard(Box<Abandoned>),
}

impl Listening {
    /// Tells whether more may be heard.
    fn is_open(&self) -> bool {
        match self {
            Self::No => false,
            Self::Yes => true,
            Self::Heard(word) => !word.timeline.was_opened(),
        }
    }

    fn hear(&mut self, word: Box<Abandoned>) {
        if matches!(self, Self::Yes) || self.is_open() && word.timeline.was_opened() {
            *self = Self::Heard(word);
        }
    }
}

/// Listens to what is dropped from now on in this thread, until it is asked what it [heard](Self::heard).
#[derive(Debug)]
#[must_use = "it listens until it is asked or dropped"]
pub struct Listener {
    outer: Listening,
}

impl Listener {
    /// Starts to listen.
    #[allow(clippy::new_without_default)] // it does something
    pub fn new() -> Self {
        Self { outer: swap(Listening::Yes) }
    }

    /// Returns what a call had to say that was dropped meanwhile, if one was.
    ///
    /// Of several that are dropped together, as by a layer that has two attempts under way, the first is heard that was opened, or else
    /// the first: a call of which one attempt may have run is not said to have not.
    pub fn heard(self) -> Option<Abandoned> {
        match swap(Listening::No) {
            Listening::Heard(word) => Some(*word),
            Listening::No | Listening::Yes => None,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // What is dropped may give up calls itself.
        swap(std::mem::replace(&mut self.outer, Listening::No));
    }
}

/// Says how far a call got, from the `drop` of a future that is given up; `word` runs only where somebody listens.
pub fn abandon(word: impl FnOnce() -> Abandoned) {
    // In a thread that is ending nobody listens.
    if !WORD.try_with(|listening| listening.borrow().is_open()).unwrap_or(false) {
        return;
    }
    let word = Box::new(word());
    let _ = WORD.try_with(|listening| listening.borrow_mut().hear(word));
}

/// Listens, or not, from now on in this thread; gives what was before.
fn swap(listening: Listening) -> Listening {
    WORD.try_with(|word| word.replace(listening)).unwrap_or(Listening::No)
}

/// A look at the clock that all share who take part in the first poll of a call, until this is dropped.
#[derive(Debug)]
pub struct Reading {
    outer: Option<Instant>,
}

impl Reading {
    /// Shares a look at the clock with what is polled while this lives; none in later polls, which may be long after it.
    pub fn share(now: Option<Instant>) -> Self {
        Self { outer: READING.replace(now) }
    }

    /// Returns the time at which the call began whose first poll this is, in place of a look at the clock.
    pub fn current() -> Option<Instant> {
        READING.get()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.set(self.outer);
    }
}
