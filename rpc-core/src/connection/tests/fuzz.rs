//! Bytes of all kinds against one machine: it never panics, and never keeps more than its limits.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

use super::super::*;
use super::kit::*;
use crate::wire::Flags;

/// A machine with small limits and a few calls in each state.
fn busy(side: Side) -> Lone {
    let config = config(|config| {
        config.buffer_bytes_max = 4000;
        config.settings.message_bytes_max = 3000;
        config.settings.frame_bytes_max = 16 << 10;
        config.settings.metadata_bytes_max = 500;
        config.settings.calls_max = 8;
    });
    let mut lone = Lone::new(side, config, Settings::default());
    if side == Side::Client {
        for slot in 0..4 {
            let call = if slot % 2 == 0 { unary("") } else { with_items("") };
            lone.machine.open(&call).expect("there is room");
        }
    } else {
        for slot in 0..4 {
            lone.feed(FrameKind::Open, id(u64::from(slot) + 1, slot), Flags::NONE, &open_content(b""))
                .unwrap();
        }
        lone.machine.reply(id(4, 3), &reply_with_items(""));
    }
    lone
}

fn any_frame() -> impl Strategy<Value = Bytes> {
    let id = (0..14_u64, 0..10_u16, prop::bool::weighted(0.1));
    let content = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        2 => prop::collection::vec(0..3_u8, 0..40),
        1 => (0..4000_usize).prop_map(|len| vec![0; len]),
        2 => (0..4000_u32, 0..1500_usize).prop_map(|(total, len)| [&total.to_le_bytes()[..], &vec![0; len]].concat()),
        2 => (1..10_u64, 0..4000_u32, 0..900_usize).prop_map(|(method, total, len)| {
            [&method.to_le_bytes()[..], &total.to_le_bytes(), &vec![0; len]].concat()
        }),
    ];
    let flags = prop_oneof![Just(0), Just(1), Just(2), any::<u8>()];
    let kind = prop_oneof![1..4_u8, 1..10_u8, any::<u8>()];
    (kind, id, flags, content).prop_map(|(kind, (sequence, slot, by_acceptor), flags, content)| {
        let slot = if sequence < 5 && slot < 8 { sequence.saturating_sub(1) as u16 } else { slot };
        let stream = StreamId::new(sequence, slot, by_acceptor);
        let mut raw = BytesMut::from(&frame(FrameKind::Ping, stream, Flags::from_bits(flags), &content)[..]);
        raw[4] = kind;
        raw.freeze()
    })
}

/// What a machine keeps is within its limits, and can all be given back.
fn check_and_end(mut lone: Lone) {
    let config = &lone.machine.config;
    let (_, held, reserved) = lone.machine.inflow.booked();
    let window = u64::from(config.settings.connection_window_bytes);
    assert!(reserved <= 4000 && held <= 4000 + window, "{held} held, {reserved} reserved");
    assert!(lone.machine.calls_in_flight() <= 12);
    assert!(lone.machine.waiting.len() <= 12 && lone.machine.ready.len() <= 12);
    lone.machine.lost("the test is over");
    for id in lone.machine.opened.ids() {
        lone.machine.cancel(id, ResetCode::Cancelled);
    }
    lone.frames();
    while lone.machine.poll_event().is_some() {}
    assert!(lone.machine.is_at_rest(), "{:#?}", lone.machine);
}

/// Feeds a machine, and does what its owner would.
fn feed_all(lone: &mut Lone, pieces: &[Bytes]) {
    let mut input = BytesMut::new();
    for piece in pieces {
        input.put_slice(piece);
        if let Err(fatal) = lone.machine.receive(&mut input, lone.now) {
            lone.machine.close(&fatal);
        }
        while let Some(event) = lone.machine.poll_event() {
            if let Event::Call(call) = event
                && call.id.slot() % 2 == 0
            {
                lone.machine.reply(call.id, &Reply::new(1, call.message));
            }
        }
        lone.machine.take_wakes();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fault_12_any_bytes_are_taken_or_refused(
        is_client in any::<bool>(),
        has_opened in any::<bool>(),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from), 0..10),
    ) {
        let side = if is_client { Side::Client } else { Side::Server };
        let mut lone = busy(side);
        if !has_opened {
            lone.machine = Connection::new(side, lone.machine.config, lone.now);
        }
        feed_all(&mut lone, &pieces);
        check_and_end(lone);
    }

    #[test]
    fn fault_12_any_frames_are_taken_or_refused(
        is_client in any::<bool>(),
        frames in prop::collection::vec(any_frame(), 1..30),
    ) {
        let side = if is_client { Side::Client } else { Side::Server };
        // Most rows of random frames end at the first that breaks the protocol; what comes after is tried on a new machine.
        let mut rest = &frames[..];
        while !rest.is_empty() {
            let mut lone = busy(side);
            let taken = rest.iter().position(|frame| {
                feed_all(&mut lone, std::slice::from_ref(frame));
                lone.machine.is_closed()
            });
            rest = &rest[taken.map_or(rest.len(), |taken| taken + 1)..];
            check_and_end(lone);
        }
    }

    #[test]
    fn fault_12_any_change_to_a_right_conversation_is_taken_or_refused(
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        cut in any::<bool>(),
        piece in 1..2000_usize,
    ) {
        let mut pair = Pair::default();
        let mut right = BytesMut::new();
        let ids = [unary("unary"), with_items("items"), unary(vec![1; 50_000])].map(|call| pair.client.open(&call).unwrap());
        send_items(&mut pair.client, ids[1], &[Bytes::from_static(b"item"), Bytes::from(vec![2; 40_000])]);
        pair.client.end_items(ids[1]);
        pair.client.cancel(ids[0], ResetCode::Cancelled);
        while pair.transmit(Side::Client) {
            right.put(pair.to_server.split());
        }
        let at = at.index(right.len());
        if cut {
            right.truncate(at);
        } else {
            right[at] ^= 1 << bit;
        }
        let mut lone = Lone::server();
        let pieces: Vec<_> = right.chunks(piece).map(Bytes::copy_from_slice).collect();
        feed_all(&mut lone, &pieces);
        lone.machine.lost("the test is over");
        lone.frames();
        while lone.machine.poll_event().is_some() {}
        prop_assert!(lone.machine.is_at_rest());
    }
}
