//! Flow control: who waits for whom, and what is kept meanwhile.

use std::collections::VecDeque;
use std::task::Poll;

use bytes::{Bytes, BytesMut};

use super::super::*;
use super::kit::*;
use crate::wire::Flags;

fn zeros(len: usize) -> Bytes {
    Bytes::from(vec![0; len])
}

/// A call whose answer is a stream of items, with its reply already taken.
fn stream(pair: &mut Pair) -> StreamId {
    let (id, _) = pair.call(&unary("watch"));
    pair.server.reply(id, &reply_with_items("here it comes"));
    pair.settle();
    reply_of(&mut pair.client, id).expect("it was answered").expect("with a reply");
    id
}

#[test]
fn fault_25_a_slow_reader_does_not_hold_up_other_calls() {
    let mut pair = Pair::default();
    let unread: Vec<_> = (0..40).map(|_| stream(&mut pair)).collect();
    for id in &unread {
        let left = send_items(&mut pair.server, *id, &vec![zeros(4096); 100]);
        assert!(left > 80, "the window of 64 KiB holds 15 items, not {}", 100 - left);
        pair.settle();
    }
    // Together they keep twice the connection's window.
    let (_, held, _) = pair.client.inflow.booked();
    assert!(held > 2 << 20 && held <= 40 * ((64 << 10) + 4112), "{held} bytes are held");
    let (id, _) = pair.call(&unary("quick"));
    pair.server.reply(id, &Reply::new(1, zeros(3 << 20)));
    pair.settle();
    assert_eq!(reply_of(&mut pair.client, id).expect("it came").expect("a reply").message.len(), 3 << 20);
}

#[test]
fn items_over_the_buffer_slow_the_whole_connection_until_they_are_read() {
    let client = config(|config| config.buffer_bytes_max = 100_000);
    let mut pair = Pair::open(client, Config::default());
    let unread: Vec<_> = (0..40).map(|_| stream(&mut pair)).collect();
    for id in &unread {
        send_items(&mut pair.server, *id, &vec![zeros(4096); 100]);
        pair.settle();
    }
    let (_, held, _) = pair.client.inflow.booked();
    assert!(held <= 100_000 + (1 << 20), "{held} bytes are held");
    let quick = stream(&mut pair);
    assert_eq!(send_items(&mut pair.server, quick, &[zeros(10)]), 0);
    pair.settle();
    assert!(items_of(&mut pair.client, quick).0.is_empty(), "there is no credit left for anybody");
    for id in unread {
        while !items_of(&mut pair.client, id).0.is_empty() {
            pair.settle();
        }
    }
    assert_eq!(items_of(&mut pair.client, quick).0.len(), 1);
}

#[test]
fn fault_26_a_fast_writer_waits_until_the_reader_has_read() {
    let mut pair = Pair::default();
    let id = stream(&mut pair);
    let woken = Woken::new();
    let waker = Waker::from(woken.clone());
    let mut cx = std::task::Context::from_waker(&waker);
    let mut items = batches(vec![zeros(1000); 1000]);
    let mut received = 0;
    loop {
        let mut is_done = false;
        while woken.take() {
            is_done = pair.server.poll_send_items(id, &mut cx, &mut items).is_ready();
            pair.settle();
        }
        if is_done {
            break;
        }
        let unread = 1000 - left(&items) - received;
        assert!(
            unread <= 67,
            "{unread} items are unread: more than the window, two that had begun, and one that waits"
        );
        received += items_of(&mut pair.client, id).0.len();
        pair.settle();
    }
    assert!(received > 900, "the writer was ahead of the reader by {}", 1000 - received);
    pair.server.end_items(id);
    pair.settle();
    received += items_of(&mut pair.client, id).0.len();
    assert_eq!((received, items_of(&mut pair.client, id).1.unwrap().unwrap()), (1000, false));
    pair.assert_at_rest();
}

#[test]
fn fault_26_credit_without_end_does_not_fill_the_memory_of_the_writer() {
    let peer =
        Settings { stream_window_bytes: 1 << 30, connection_window_bytes: 1 << 30, ..Settings::default() };
    let mut lone = Lone::new(Side::Server, Config::default(), peer);
    lone.feed(FrameKind::Open, id(1, 0), Flags::END, &open_content(b"")).unwrap();
    lone.machine.reply(id(1, 0), &reply_with_items(""));
    let left = send_items(&mut lone.machine, id(1, 0), &vec![zeros(1000); 1000]);
    assert!(left > 800 && lone.machine.unsent_bytes() < 200_000, "{left} items are left");
}

#[test]
fn a_peer_that_does_not_read_stops_new_calls_and_not_the_process() {
    let mut pair = Pair::default();
    let mut opened = 0;
    let error = loop {
        match pair.client.open(&OpenCall { oneway: true, ..unary(zeros(16 << 10)) }) {
            Ok(id) => pair.client.cancel(id, ResetCode::DeadlineExceeded),
            Err(error) => break error,
        }
        opened += 1;
    };
    assert!(matches!(error, OpenError::Full) && opened <= 1025);
    assert!(pair.client.unsent_bytes() < 17 << 20);
    assert_eq!(pair.client.take_freed_slots(), 0);
    pair.transmit(Side::Client);
    assert!(pair.client.take_freed_slots() > 0, "those who wait are told");
    assert!(pair.client.open(&unary("")).is_ok());
}

#[test]
fn fault_27_a_large_reply_does_not_hold_up_small_calls() {
    let large = || config(|config| config.settings.message_bytes_max = 64 << 20);
    let mut pair = Pair::open(large(), large());
    let (id, _) = pair.call(&unary("large"));
    pair.server.reply(id, &Reply::new(1, zeros(64 << 20)));
    let mut small = 0;
    let reply = loop {
        if let Some(reply) = reply_of(&mut pair.client, id) {
            break reply.expect("a reply");
        }
        let quick = pair.client.open(&unary("quick")).expect("there is room");
        pair.transmit(Side::Client);
        pair.deliver(Side::Client, usize::MAX);
        assert_eq!(pair.incoming().id, quick);
        pair.server.reply(quick, &Reply::new(1, Bytes::from_static(b"at once")));
        pair.transmit(Side::Server);
        assert!(pair.to_client.len() < 256 << 10, "what is before it is bounded");
        pair.deliver(Side::Server, usize::MAX);
        assert!(reply_of(&mut pair.client, quick).is_some(), "the small call was held up");
        small += 1;
    };
    assert_eq!(reply.message.len(), 64 << 20);
    assert!(small > 400, "{small} small calls went between the parts");
    pair.settle();
    pair.assert_at_rest();
}

#[test]
fn fault_68_dropped_half_read_streams_leave_nothing_behind() {
    let mut pair = Pair::default();
    let items = vec![zeros(10); 3];
    for _ in 0..100_000 {
        let id = stream(&mut pair);
        send_items(&mut pair.server, id, &items);
        pair.settle();
        assert_eq!(items_of(&mut pair.client, id).0.len(), 3);
        send_items(&mut pair.server, id, &items);
        pair.transmit(Side::Server);
        pair.client.cancel(id, ResetCode::Cancelled);
        pair.settle();
        assert!(matches!(pair.server.poll_event(), Some(Event::Cancelled(gone)) if gone == id));
    }
    pair.assert_at_rest();
    assert_eq!(pair.client.inflow.booked().0, pair.server.granted_out, "credit was lost");
    assert_eq!(pair.client.late_frames(), 300_000);
}

#[test]
fn many_unfinished_messages_do_not_stall_each_other() {
    let tight = || {
        config(|config| {
            config.buffer_bytes_max = 0;
            config.chunk_bytes = 64;
            config.settings.stream_window_bytes = 1024;
            config.settings.connection_window_bytes = 1024;
        })
    };
    let mut pair = Pair::open(tight(), tight());
    let ids: Vec<_> = (0..300).map(|_| pair.client.open(&unary(zeros(40_000))).expect("a slot")).collect();
    pair.settle();
    for id in ids {
        assert_eq!(pair.incoming().message.len(), 40_000);
        pair.server.reply(id, &Reply::new(1, zeros(40_000)));
    }
    pair.settle();
    assert!(pair.client.opened.ids().into_iter().all(|id| reply_of(&mut pair.client, id).is_some()));
    pair.assert_at_rest();
}

#[test]
fn a_message_that_has_room_does_not_wait_for_the_reader_of_the_items_before() {
    let server = config(|config| config.chunk_bytes = 64);
    let mut pair = Pair::open(Config::default(), server);
    let id = stream(&mut pair);
    // Unread items take up all but a little of the window; what is left starts the large one.
    assert_eq!(send_items(&mut pair.server, id, &vec![zeros(64); 810]), 0);
    send_items(&mut pair.server, id, &[zeros(4 << 20)]);
    pair.settle();
    assert_eq!(pair.client.inflow.booked().2, 0, "the message keeps room from others while nobody reads");
    assert_eq!(items_of(&mut pair.client, id).0.last().map(Bytes::len), Some(4 << 20));
}

#[test]
fn calls_given_up_for_want_of_credit_leave_nothing_behind() {
    let peer = Settings { connection_window_bytes: 1024, ..Settings::default() };
    let mut lone = Lone::new(Side::Client, Config::default(), peer);
    for _ in 0..3 {
        lone.machine.open(&unary(zeros(100_000))).unwrap();
    }
    for _ in 0..1000 {
        let id = lone.machine.open(&unary(zeros(100_000))).unwrap();
        lone.frames();
        lone.machine.cancel(id, ResetCode::DeadlineExceeded);
    }
    assert_eq!(lone.machine.ready.len(), 3);
}

/// A server where 10,000 bytes of unfinished messages have room, and three calls whose arguments have begun to come.
fn three_uploads() -> Lone {
    let config = config(|config| config.buffer_bytes_max = 10_000);
    let mut lone = Lone::new(Side::Server, config, Settings::default());
    for slot in 0..3 {
        let content = [&9000_u32.to_le_bytes()[..], &[0; 100]].concat();
        lone.feed(FrameKind::Open, id(u64::from(slot) + 1, slot), Flags::MORE, &open_content(&content))
            .unwrap();
    }
    lone
}

#[test]
fn a_message_that_waits_for_room_takes_no_more_than_its_window() {
    let mut lone = three_uploads();
    assert_eq!(lone.machine.inflow.booked().2, 9000);
    assert_eq!(lone.machine.waiting.len(), 2);
    let window = Settings::default().stream_window_bytes as usize;
    // The second call sends an endless row of empty parts; nothing is granted for it.
    let parts = vec![frame(FrameKind::Data, id(2, 1), Flags::MORE, b""); window / 16].concat();
    lone.bytes(&parts).unwrap();
    assert!(lone.frames().iter().all(|(header, _)| header.id != id(2, 1)));
    assert_eq!(lone.refuses(FrameKind::Data, id(2, 1), Flags::MORE, b""), CloseCode::FlowControl);
}

#[test]
fn room_goes_to_the_next_in_line_when_a_message_is_given_up() {
    let mut lone = three_uploads();
    let reset = 1_u16.to_le_bytes();
    lone.feed(FrameKind::Reset, id(3, 2), Flags::NONE, &reset).unwrap();
    assert_eq!(lone.machine.waiting, [id(2, 1)]);
    lone.feed(FrameKind::Reset, id(1, 0), Flags::NONE, &reset).unwrap();
    assert!(lone.machine.waiting.is_empty());
    assert_eq!(lone.machine.inflow.booked().2, 9000);
    lone.feed(FrameKind::Reset, id(2, 1), Flags::NONE, &reset).unwrap();
    lone.frames();
    assert!(lone.machine.is_at_rest(), "{:#?}", lone.machine);
}

#[test]
fn a_call_stands_in_the_line_once() {
    let mut lone = three_uploads();
    lone.feed(FrameKind::Open, id(4, 3), Flags::NONE, &open_content(b"items follow")).unwrap();
    for _ in 0..1000 {
        let start = [&3000_u32.to_le_bytes()[..], &[0; 2999]].concat();
        lone.feed(FrameKind::Data, id(4, 3), Flags::MORE, &start).unwrap();
        lone.feed(FrameKind::Data, id(4, 3), Flags::NONE, &[0]).unwrap();
        assert_eq!(items_of(&mut lone.machine, id(4, 3)).0.len(), 1);
        assert_eq!(lone.machine.waiting.len(), 3);
    }
}

#[test]
fn small_items_that_nobody_reads_do_not_keep_the_reads_they_came_with() {
    let mut lone = Lone::server();
    lone.feed(FrameKind::Open, id(1, 0), Flags::NONE, &open_content(b"")).unwrap();
    let mut input = BytesMut::new();
    for _ in 0..2000 {
        input.extend_from_slice(&frame(FrameKind::Data, id(1, 0), Flags::NONE, b"small"));
    }
    lone.machine.receive(&mut input, lone.now).unwrap();
    let mut held = std::mem::take(&mut lone.machine.stream(id(1, 0)).expect("it is under way").inflow.items);
    let items: Vec<_> = held.drain().into_iter().flatten().flat_map(|item| item.batch).collect();
    assert_eq!(items.len(), 2000);
    assert!(items[256..].iter().all(Bytes::is_unique), "they share the memory of a read");
}

#[test]
fn a_look_tells_what_each_call_waits_for() {
    let mut pair = Pair::default();
    let looked = |pair: &Pair| -> Vec<WaitsFor> {
        pair.server.look(pair.now).calls.iter().map(|call| call.waits_for).collect()
    };
    pair.client.open(&unary(zeros(1 << 20))).expect("there is a slot");
    // The arguments need credit, which is on its way back.
    pair.transmit(Side::Client);
    pair.deliver(Side::Client, usize::MAX);
    assert_eq!(looked(&pair), [WaitsFor::Arguments]);
    pair.settle();
    assert_eq!(looked(&pair), [WaitsFor::Handler]);
    let id = stream(&mut pair);
    assert_eq!(looked(&pair), [WaitsFor::Handler, WaitsFor::Items]);
    for _ in 0..3 {
        // An item that has begun is granted as a whole; in the end none can begin.
        send_items(&mut pair.server, id, &vec![zeros(4096); 100]);
        pair.settle();
    }
    assert_eq!(looked(&pair), [WaitsFor::Handler, WaitsFor::Reader]);
    let others: Vec<_> = (0..40).map(|_| stream(&mut pair)).collect();
    for id in others {
        send_items(&mut pair.server, id, &vec![zeros(4096); 100]);
    }
    assert!(looked(&pair).contains(&WaitsFor::Connection) || looked(&pair).contains(&WaitsFor::Link));
    let view = pair.server.look(pair.now);
    assert!(view.received_bytes > 1 << 20 && view.sent_bytes > 60_000, "{view:?}");
    assert_eq!((view.calls.len(), view.calls_max), (42, 1024));
}

/// How many pieces of memory the items of so many frames are in once they are taken.
fn pieces(frames: u64, bytes: usize) -> usize {
    let mut lone = Lone::server();
    lone.feed(FrameKind::Open, id(1, 0), Flags::NONE, &open_content(b"")).unwrap();
    for _ in 0..frames {
        lone.feed(FrameKind::Data, id(1, 0), Flags::NONE, &vec![7; bytes]).unwrap();
    }
    let mut out = VecDeque::new();
    assert!(matches!(lone.machine.poll_items(id(1, 0), &mut noop(), &mut out), Poll::Ready(Ok(true))));
    let pieces = out.len();
    let items: Vec<_> = out.into_iter().flatten().collect();
    assert_eq!(items, vec![vec![7; bytes]; frames as usize]);
    pieces
}

/// Each read has up to 64 KiB, and a peer may send what is skipped beside one short item.
#[test]
fn short_items_do_not_keep_the_reads_that_they_came_with() {
    assert_eq!([pieces(200, 1), pieces(200, 0), pieces(2, 1000)], [1, 1, 1]);
    assert_eq!([pieces(1, 1), pieces(5, 10_000)], [1, 5], "nothing is copied without need");
}

#[test]
fn a_message_in_parts_arrives_as_one_whether_it_goes_whole_or_is_cut() {
    let parts: Vec<Bytes> =
        [10_usize, 70_000, 3, 90_000, 0].iter().zip(1..).map(|(len, fill)| vec![fill; *len].into()).collect();
    let whole = parts.concat();
    for goes_whole in [false, true] {
        let long = config(|config| config.settings.frame_bytes_max = 1 << 20);
        let mut pair = Pair::open(long.clone(), long);
        if goes_whole {
            pair.client.pace = Pace::new(1 << 20, Instant::now());
            pair.server.pace = Pace::new(1 << 20, Instant::now());
        }
        let (id, incoming) = pair.call(&OpenCall { rest: &parts[1..], ..unary(parts[0].clone()) });
        assert_eq!(incoming.message, whole);
        pair.server.reply_in_parts(id, &Reply::new(1, parts[0].clone()), &parts[1..]);
        assert_eq!(pair.server.unsent_bytes() > whole.len(), goes_whole);
        pair.settle();
        assert_eq!(reply_of(&mut pair.client, id).unwrap().unwrap().message, whole);
        pair.assert_at_rest();
    }
}

#[test]
fn a_message_in_parts_is_held_to_the_limit_as_a_whole() {
    let mut pair = Pair::default();
    let half = zeros(3 << 20);
    let refused = pair.client.open(&OpenCall { rest: std::slice::from_ref(&half), ..unary(half.clone()) });
    assert!(
        matches!(refused, Err(OpenError::Failed(error)) if error.kind() == crate::ErrorKind::LimitExceeded)
    );
    let (id, _) = pair.call(&unary("ask"));
    pair.server.reply_in_parts(id, &Reply::new(1, half.clone()), &[half]);
    pair.settle();
    assert_eq!(error_of(&mut pair.client, id).code(), crate::Code::ResourceExhausted);
}
