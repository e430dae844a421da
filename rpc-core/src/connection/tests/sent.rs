//! When the link took a call.

use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};

use super::super::*;
use super::kit::*;
use crate::timeline::Sent;
use crate::wire::Flags;
use crate::{Fate, Metadata, MethodId};

const SECOND: Duration = Duration::from_secs(1);

fn client() -> Lone {
    let mut lone = Lone::server();
    lone.machine = Connection::new(Side::Client, Config::default(), lone.now);
    let mut opening = BytesMut::new();
    Hello::new(Settings::default()).encode(&mut opening);
    lone.machine.receive(&mut opening, lone.now).unwrap();
    lone.written();
    lone
}

fn opened(lone: &mut Lone) -> StreamId {
    let metadata = Metadata::new();
    lone.machine.open(&OpenCall::new(MethodId::new(7), 1, Bytes::new(), &metadata)).unwrap()
}

impl Lone {
    /// Takes what there is to be written, and tells how long that is.
    fn written(&mut self) -> usize {
        let mut transmit = Transmit::new();
        let _ = self.machine.poll_transmit(&mut noop(), &mut transmit);
        transmit.remaining()
    }
}

#[test]
fn a_call_is_sent_when_it_is_taken_unless_the_link_is_stuck() {
    let mut lone = client();
    let first = opened(&mut lone);
    assert_eq!(lone.machine.sent(first), Sent::Not);
    let bytes = lone.written();
    assert_eq!(lone.machine.sent(first), Sent::AtOnce);
    lone.machine.write_stalled(bytes);
    assert_eq!(lone.machine.sent(first), Sent::Not, "it was taken, and not written");
    let second = opened(&mut lone);
    let later = lone.now + SECOND;
    lone.machine.write_went_on(later);
    assert_eq!(lone.machine.sent(first), Sent::At(later), "its first byte went out");
    assert_eq!(lone.machine.sent(second), Sent::Not);
    lone.written();
    assert_eq!(lone.machine.sent(second), Sent::At(later), "it waited behind the first");
    let third = opened(&mut lone);
    lone.written();
    assert_eq!(lone.machine.sent(third), Sent::AtOnce);
}

#[test]
fn a_call_that_was_held_back_is_sent_with_the_sign_of_life() {
    let mut lone = client();
    let silent = lone.now + 30 * SECOND;
    lone.machine.on_timer(silent).unwrap();
    lone.machine.on_timer(silent).unwrap();
    let held = opened(&mut lone);
    lone.written();
    assert_eq!(lone.machine.sent(held), Sent::Not);
    let later = silent + SECOND;
    let mut pong = BytesMut::from(&frame(FrameKind::Pong, StreamId::CONNECTION, Flags::NONE, &[0; 8])[..]);
    lone.machine.receive(&mut pong, later).unwrap();
    lone.written();
    assert_eq!(lone.machine.sent(held), Sent::At(later));
}

#[test]
fn waits_that_are_long_over_are_forgotten() {
    let mut lone = client();
    let calls: Vec<_> = (1..=100)
        .map(|second| {
            let id = opened(&mut lone);
            let bytes = lone.written();
            lone.machine.write_stalled(bytes);
            lone.machine.write_went_on(lone.now + second * SECOND);
            id
        })
        .collect();
    assert_eq!(lone.machine.sent(calls[99]), Sent::At(lone.now + 100 * SECOND));
    assert_eq!(lone.machine.sent(calls[84]), Sent::At(lone.now + 85 * SECOND));
    assert_eq!(lone.machine.sent(calls[83]), Sent::AtOnce);
}

#[test]
fn a_call_that_is_lost_says_whether_it_was_sent() {
    for (is_written, sent, fate) in
        [(true, Sent::AtOnce, Fate::MaybeExecuted), (false, Sent::Not, Fate::NeverSent)]
    {
        let mut lone = client();
        let id = opened(&mut lone);
        if is_written {
            lone.written();
        }
        lone.machine.lost("the link is gone");
        let Poll::Ready(Err(error)) = lone.machine.poll_reply(id, &mut noop()) else {
            panic!("the call is over")
        };
        assert_eq!((error.timeline().unwrap().sent, error.fate()), (sent, fate));
    }
}
