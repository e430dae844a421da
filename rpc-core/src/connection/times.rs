//! What a caller wants to know of the callee's time.

use crate::wire::Flags;

/// When a caller wants to know how long the callee took (rule P24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// It does not.
    #[default]
    Never,
    /// Where the call fails with a status.
    OfFailures,
    /// In any case.
    Always,
}

impl Times {
    pub(super) fn read(flags: Flags) -> Self {
        match (flags.has(Flags::TIMES), flags.has(Flags::REPLY_TIMES)) {
            (true, true) => Self::Always,
            (true, false) => Self::OfFailures,
            (false, _) => Self::Never,
        }
    }
}
