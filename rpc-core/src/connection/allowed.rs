//! What the peer takes, and what is said of what goes beyond it.

use super::Side;
use crate::wire::Settings;
use crate::{Code, CodecKind, Error, ErrorKind, Fate, Status};

/// Holds a message or metadata against the limit of the peer.
pub(super) fn check(bytes: usize, max: u32, what: &str) -> Result<(), Error> {
    if bytes <= max as usize { Ok(()) } else { Err(too_long(bytes, max, what)) }
}

/// Apart: what is within the limits needs no code for this.
#[cold]
fn too_long(bytes: usize, max: u32, what: &str) -> Error {
    Error::new(ErrorKind::LimitExceeded, text("peer", what, bytes, max)).with_fate(Fate::NeverSent)
}

/// What the peer is told whose message or metadata is over this side's limit.
pub(super) fn refusal(side: Side, what: &str, bytes: usize, max: u32) -> Status {
    let whose = if side == Side::Server { "server" } else { "client" };
    Status::new(Code::ResourceExhausted, text(whose, what, bytes, max))
}

fn text(whose: &str, what: &str, bytes: usize, max: u32) -> String {
    let (article, setting) =
        if what == "metadata" { ("", "metadata_bytes") } else { ("a ", "message_bytes") };
    format!(
        "{article}{what} of {bytes} bytes is over the {whose}'s limit of {max} ({setting}): send less, or raise it there"
    )
}

/// Tells whether the peer knows a codec (rule P15).
pub(super) fn knows_codec(settings: &Settings, codec: u8) -> Result<(), Error> {
    if settings.codecs.contains(&codec) {
        return Ok(());
    }
    let name = |id: &u8| {
        CodecKind::from_id(*id).map_or_else(|| format!("codec {id}"), |codec| codec.name().to_owned())
    };
    let known: Vec<_> = settings.codecs.iter().map(name).collect();
    let text = format!(
        "the peer does not know {}; it knows {}: choose one of these, or turn its feature on there",
        name(&codec),
        known.join(", ")
    );
    Err(Error::new(ErrorKind::Config, text))
}
