//! Bounds on what is decoded, and how a decoding keeps to them.

mod limited;

use std::cell::Cell;
use std::fmt;

pub(super) use limited::Limited;

use crate::BoxError;

/// Bounds on decoding, which hold for every codec.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// How deep values may be nested, counting each struct, tuple, sequence, map, `Some`, newtype and enum variant with
    /// content. Default: 128. Too low refuses lists that are linked through `Option<Box<_>>`, which take two levels a link;
    /// too high lets a peer overflow the stack.
    pub depth_max: u32,
    /// How many elements of sequences and maps a message may hold beyond one for each of its bytes. Default: 65,536. Only
    /// elements that take no bytes, such as `()`, need more than one each; too high lets a peer buy time with few bytes.
    pub free_elements_max: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { depth_max: 128, free_elements_max: 65_536 }
    }
}

/// What one message may still spend.
#[derive(Debug)]
pub(super) struct Budget {
    limits: DecodeLimits,
    elements_max: u64,
    elements_left: Cell<u64>,
    /// How many more elements the message may have room made for before they are read.
    hints_left: Cell<usize>,
    /// The bound that was exceeded, kept apart because postcard's errors have no room for it.
    excess: Cell<Option<Excess>>,
}

impl Budget {
    pub(super) fn new(limits: &DecodeLimits, message_bytes: usize) -> Self {
        let elements_max = limits.free_elements_max.saturating_add(message_bytes as u64);
        Self {
            limits: *limits,
            elements_max,
            elements_left: Cell::new(elements_max),
            hints_left: Cell::new(message_bytes),
            excess: Cell::new(None),
        }
    }

    /// Turns the format's error into what the peer is told: the bound that was exceeded, where one was.
    pub(super) fn explain(&self, error: impl Into<BoxError>) -> BoxError {
        match self.excess.get() {
            Some(excess) => excess.to_string().into(),
            None => error.into(),
        }
    }

    #[inline]
    fn charge_element<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.elements_left.get().checked_sub(1) {
            Some(left) => self.elements_left.set(left),
            None => return Err(self.exceed(Excess::Elements(self.elements_max))),
        }
        Ok(())
    }

    /// Lets a size hint pass while all hints together are not more than the message has bytes. Without this a nest of
    /// sequences, each said to be long, makes room for all of them at once.
    #[inline]
    fn charge_hint(&self, hint: Option<usize>) -> Option<usize> {
        let hint = hint?;
        self.hints_left.set(self.hints_left.get().checked_sub(hint)?);
        Some(hint)
    }

    #[cold]
    fn exceed<E: serde::de::Error>(&self, excess: Excess) -> E {
        self.excess.set(Some(excess));
        E::custom(excess)
    }
}

/// A bound that was exceeded, with its value.
#[derive(Clone, Copy, Debug)]
enum Excess {
    Depth(u32),
    Elements(u64),
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth(max) => write!(f, "nested deeper than {max} levels"),
            Self::Elements(max) => write!(f, "more than {max} elements"),
        }
    }
}
