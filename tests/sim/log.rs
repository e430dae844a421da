//! What happened, in order: the same seed gives the same log.

use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use crate::time::since;

/// The log of a run; clones write to the same.
#[derive(Clone)]
pub struct Log {
    start: Instant,
    lines: Arc<Mutex<Lines>>,
}

/// What a run leaves behind.
#[derive(Default)]
pub struct Lines {
    /// All that happened.
    pub all: Vec<String>,
    /// What must not have happened.
    pub wrong: Vec<String>,
}

impl Log {
    /// Starts at the present.
    pub fn new() -> Self {
        Self { start: Instant::now(), lines: Arc::default() }
    }

    /// Writes down what happened.
    pub fn note(&self, what: fmt::Arguments<'_>) {
        let line = format!("{:>7} {what}", since(self.start));
        self.lines.lock().unwrap().all.push(line);
    }

    /// Writes down what must not happen.
    pub fn wrong(&self, what: fmt::Arguments<'_>) {
        let line = format!("{:>7} WRONG: {what}", since(self.start));
        let mut lines = self.lines.lock().unwrap();
        lines.wrong.push(line.clone());
        lines.all.push(line);
    }

    /// Ends the log.
    pub fn take(&self) -> Lines {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}
