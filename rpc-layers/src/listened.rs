//! Whether anybody may take what a layer has to tell.

use tracing::callsite::{DefaultCallsite, Identifier};
use tracing::field::FieldSet;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
use tracing::metadata::{Kind, Level, Metadata};

/// The level at which layers tell of calls.
const LEVEL: Level = Level::INFO;

/// Asks for what has this target at level INFO: whether a subscriber may take it. Static, as what asks is registered.
macro_rules! is_listened_to {
    ($name:expr, $target:expr, $kind:expr) => {{
        static METADATA: ::tracing::Metadata<'static> =
            $crate::listened::metadata($name, $target, $kind, &CALLSITE);
        static CALLSITE: ::tracing::callsite::DefaultCallsite =
            ::tracing::callsite::DefaultCallsite::new(&METADATA);
        $crate::listened::is_wanted(&CALLSITE)
    }};
}
pub(crate) use is_listened_to;

pub(crate) const fn metadata(
    name: &'static str,
    target: &'static str,
    kind: Kind,
    callsite: &'static DefaultCallsite,
) -> Metadata<'static> {
    let fields = FieldSet::new(&[], Identifier(callsite));
    Metadata::new(name, target, LEVEL, None, None, None, fields, kind)
}

/// Tells whether somebody may want it: certainly not if `false`.
///
/// Unlike `tracing::enabled!` it does not ask the subscriber's filters. Where layers of a subscriber have filters of their own, each keeps
/// what it said until the event or span comes that was asked about, and takes the next one for that.
pub(crate) fn is_wanted(callsite: &'static DefaultCallsite) -> bool {
    LEVEL <= STATIC_MAX_LEVEL && LEVEL <= LevelFilter::current() && !callsite.interest().is_never()
}
