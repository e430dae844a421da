//! Rules C1 to C11: who may send how much.

use std::time::Duration;

use bytes::Bytes;

use super::kit::{
    CREDIT, DATA, End, F_MORE, FIRST, FRAMES, OPEN, PONG, REPLY, call_id, frame, open, part, vector,
};
use crate::connection::{Config, Side};
use crate::wire::{CloseCode, Settings, StreamId};

fn windows(stream_window_bytes: u32, connection_window_bytes: u32) -> Settings {
    Settings { stream_window_bytes, connection_window_bytes, ..Settings::default() }
}

/// A server with these windows, with one call under way that sends items.
fn server_with(stream: u32, connection: u32) -> (End, StreamId) {
    let config = Config { settings: windows(stream, connection), ..Config::default() };
    let mut server = End::open_with(Side::Server, config, Settings::default());
    server.hears(&open(0, FIRST, b""));
    let id = server.taken().id;
    (server, id)
}

/// A client whose peer has these windows.
fn client_of(stream: u32, connection: u32) -> End {
    End::open_with(Side::Client, Config::default(), windows(stream, connection))
}

fn credit(id: u64, bytes: u32) -> Vec<u8> {
    frame(CREDIT, 0, id, &bytes.to_le_bytes())
}

fn item(bytes: usize) -> Vec<u8> {
    frame(DATA, 0, FIRST, &vec![1; bytes])
}

fn hundreds(count: usize) -> impl Iterator<Item = Bytes> {
    (0..count).map(|_| Bytes::from_static(&[1; 100]))
}

#[test]
fn rule_c1_c3_data_costs_its_content_and_16_bytes() {
    for (stream, connection) in [(1024, 65_536), (65_536, 1024)] {
        let (mut server, _) = server_with(stream, connection);
        server.hears(&item(1008));
        let (mut server, _) = server_with(stream, connection);
        assert_eq!(server.faults(&item(1009)), CloseCode::FlowControl);
    }
    let (mut server, _) = server_with(1024, 65_536);
    (0..64).for_each(|_| server.hears(&item(0)));
    assert_eq!(server.faults(&item(0)), CloseCode::FlowControl);
    let (mut server, _) = server_with(1024, 1024);
    for sequence in 2..50 {
        server.hears(&open(1, call_id(sequence, sequence), &[0; 1000]));
    }
}

#[test]
fn rule_c2_the_receivers_opening_gives_the_first_windows() {
    let mut client = client_of(1024, 4096);
    let mut sent = Vec::new();
    for _ in 0..6 {
        let id = client.opens(true, Bytes::new());
        client.sends(id, hundreds(20));
        sent.push(client.frames().len());
    }
    // An item costs 116: eight go into the window of a call, and three into what is left of the connection's.
    assert_eq!(sent, [8, 8, 8, 8, 3, 0]);
}

#[test]
fn rule_c4_credit_adds_to_the_window_that_it_names() {
    let mut client = client_of(1024, 1024);
    let id = client.opens(true, Bytes::new());
    client.sends(id, hundreds(20));
    assert_eq!(client.frames().len(), 8);
    client.hears(&credit(FIRST, 116));
    assert_eq!(client.frames().len(), 0);
    client.hears(&credit(0, 116));
    assert_eq!(client.frame().content.len(), 100);
    for name in ["credit_call", "credit_connection"] {
        client.hears(&vector(FRAMES, name));
    }
}

#[test]
fn rule_c5_a_window_has_a_bound() {
    for id in [0, FIRST] {
        let (mut client, _) = End::calling();
        (0..255).for_each(|_| client.hears(&credit(id, u32::MAX)));
        let rest = [credit(id, u32::MAX), credit(id, u32::MAX)].concat();
        assert_eq!(client.faults(&rest), CloseCode::FlowControl);
    }
}

#[test]
fn rule_c6_credit_of_nothing_is_counted() {
    let (mut client, _) = End::calling();
    (0..10).for_each(|_| client.hears(&credit(FIRST, 0)));
    assert_eq!(client.faults(&credit(FIRST, 0)), CloseCode::Protocol);
}

#[test]
fn rule_c7_half_a_window_is_granted_at_a_time() {
    let (mut server, id) = server_with(1024, 65_536);
    for _ in 0..4 {
        server.hears(&item(100));
        let _ = server.items(id);
        assert_eq!(server.told(), b"");
    }
    server.hears(&item(100));
    assert_eq!(server.told(), b"");
    let _ = server.items(id);
    assert_eq!(server.told(), credit(FIRST, 5 * 116));
    for _ in 0..282 {
        server.hears(&item(100));
        let _ = server.items(id);
    }
    let whole: Vec<_> = server.frames().into_iter().filter(|frame| frame.id == 0).collect();
    assert_eq!(whole[0].number(), 283 * 116);
}

#[test]
fn rule_c7_a_sender_waits_for_no_more_than_276_bytes() {
    let mut client = client_of(1024, 65_536);
    let id = client.opens(true, Bytes::new());
    client.sends(id, [Bytes::from(vec![1; 5000])]);
    assert_eq!(client.frame().content.len(), 4 + 1004);
    client.hears(&credit(FIRST, 275));
    assert_eq!(client.told(), b"");
    client.hears(&credit(FIRST, 1));
    assert!(client.frame().content.len() >= 256);
}

/// A peer that sends items of 16 KiB in ever new calls, four in each, as far as the connection's window allows; nobody reads.
fn send_unread(server: &mut End, items: u64) -> u64 {
    const COST: u64 = 16_384;
    let (mut left, mut sent) = (1 << 20, 0);
    while left >= COST && sent < items {
        let call = 2 + sent / 4;
        if sent % 4 == 0 {
            server.hears(&open(0, call_id(call, call), b""));
        }
        server.hears(&frame(DATA, 0, call_id(call, call), &[1; 16_368]));
        left -= COST;
        sent += 1;
        for frame in server.frames() {
            assert_eq!((frame.kind, frame.id), (CREDIT, 0), "an unread call is granted more");
            left += frame.number();
        }
    }
    sent
}

#[test]
fn rule_c8_who_does_not_read_holds_up_nobody_else() {
    let (mut server, _) = End::called();
    assert_eq!(send_unread(&mut server, 512), 512);
}

#[test]
fn rule_c8_more_than_the_buffer_is_not_kept() {
    let config = Config { buffer_bytes_max: 2 << 20, ..Config::default() };
    let mut server = End::open_with(Side::Server, config, Settings::default());
    let sent = send_unread(&mut server, u64::MAX);
    // The buffer and the window, or half a window less where no grant is due yet.
    assert!((160..=192).contains(&sent), "{sent}");
    while server.machine.poll_event().is_some() {}
    for call in 2..40 {
        let _ = server.items(StreamId::from_u64(call_id(call, call)));
    }
    let granted: u64 = server.frames().iter().filter(|frame| frame.id == 0).map(|frame| frame.number()).sum();
    assert!(granted >= 1 << 19, "{granted}");
}

#[test]
fn rule_c9_l5_a_long_message_is_granted_its_length_where_there_is_room() {
    let long = |call| open(F_MORE, call_id(call, call), &part(4 << 20, b"start"));
    let mut server = End::server();
    let mut granted = Vec::new();
    for call in 1..=5 {
        server.hears(&long(call));
        granted.extend(server.frames().iter().map(|frame| (frame.id, frame.number() >= 4 << 20)));
    }
    // Four of them are the 16 MiB that are kept; the fifth waits with its window.
    assert_eq!(granted, [1, 2, 3, 4].map(|call| (call_id(call, call), true)));
    server.hears(&frame(super::kit::RESET, 0, call_id(2, 2), &[1, 0]));
    let fifth = server.frames();
    assert!(fifth.iter().any(|frame| frame.id == call_id(5, 5) && frame.number() >= 4 << 20), "{fifth:?}");
    let small = Config { buffer_bytes_max: 1024, ..Config::default() };
    let mut server = End::open_with(Side::Server, small, Settings::default());
    server.hears(&long(1));
    assert!(server.frame().number() >= 4 << 20, "one message has room always");
}

#[test]
fn rule_c9_no_more_is_granted_than_4_mib_ahead_of_what_has_arrived() {
    let settings = Settings { message_bytes_max: 64 << 20, ..Settings::default() };
    let config = Config { settings, buffer_bytes_max: 64 << 20, ..Config::default() };
    let mut server = End::open_with(Side::Server, config, Settings::default());
    let id = call_id(1, 1);
    server.hears(&open(F_MORE, id, &part(32 << 20, b"start")));
    let mut ahead = server.frame().number();
    assert_eq!(ahead, 4 << 20);
    let data = frame(DATA, F_MORE, id, &[7; 16 << 10]);
    for _ in 0..1024 {
        server.hears(&data);
        ahead -= data.len() as u64;
        let granted = server.frames().into_iter().filter(|frame| frame.id == id);
        ahead += granted.map(|frame| frame.number()).sum::<u64>();
        assert!((3 << 20..=4 << 20).contains(&ahead), "{ahead}");
    }
}

#[test]
fn rule_c10_data_of_calls_that_have_ended_is_booked_and_given_back() {
    let (mut server, id) = server_with(65_536, 65_536);
    server.machine.refuse(id);
    server.told();
    let mut left = 65_536_u64;
    for _ in 0..1000 {
        left = left.checked_sub(1016).expect("the connection's window is given back");
        server.hears(&item(1000));
        left += server.frames().iter().map(|frame| frame.number()).sum::<u64>();
    }
    let (mut server, id) = server_with(65_536, 65_536);
    server.machine.refuse(id);
    assert_eq!(server.faults(&[item(30_000), item(40_000)].concat()), CloseCode::FlowControl);
}

#[test]
fn rule_c11_parts_of_messages_take_turns() {
    let mut client = End::client();
    for _ in 0..2 {
        client.try_open(false, Bytes::from(vec![1; 60_000])).unwrap();
    }
    client.try_open(false, Bytes::from_static(b"small")).unwrap();
    let frames = client.frames();
    let (first, second, small) = (FIRST, call_id(2, 1), call_id(3, 2));
    let order: Vec<_> = frames.iter().map(|frame| (frame.kind, frame.id)).collect();
    let parts = [first, second, first, second, first, second].map(|id| (DATA, id));
    assert_eq!(order[..3], [(OPEN, first), (OPEN, second), (OPEN, small)]);
    assert_eq!(order[3..], parts);
    assert!(frames.iter().all(|frame| frame.content.len() <= 16_384 + 12));
    client.hears(&frame(REPLY, 1, small, b"first"));
    assert!(client.reply(StreamId::from_u64(small)).is_ready());
}

/// A client over a link that has taken as much as this in each of so many times 10 ms, and whose peer takes long frames.
fn paced(counts: u32, bytes_each: usize) -> End {
    let peer = Settings { frame_bytes_max: 4 << 20, ..Settings::default() };
    let mut client = End::open_with(Side::Client, Config::default(), peer);
    for _ in 0..counts {
        let id = client.try_open(false, Bytes::from(vec![1; bytes_each])).unwrap();
        client.told();
        client.hears(&frame(CREDIT, 0, id.as_u64(), &(1_u32 << 24).to_le_bytes()));
        client.hears(&frame(CREDIT, 0, 0, &(1_u32 << 24).to_le_bytes()));
        client.told();
        client.machine.cancel(id, crate::wire::ResetCode::Cancelled);
        client.told();
        client.now += Duration::from_millis(10);
        client.hears(&frame(PONG, 0, 0, &[0; 8]));
    }
    client
}

#[test]
fn rule_c11_a_message_goes_whole_where_the_link_takes_it_in_a_moment() {
    let parts = |client: &mut End, bytes: usize| {
        client.try_open(false, Bytes::from(vec![2; bytes])).unwrap();
        client.frames().len()
    };
    assert!(parts(&mut paced(0, 0), 60_000) > 1, "nothing is known of the link");
    assert!(parts(&mut paced(10, 100_000), 60_000) > 1, "that much only fills buffers of the system");
    let mut fast = paced(10, 4_000_000);
    assert_eq!(parts(&mut fast, 1_000_000), 1);
    assert!(parts(&mut fast, 2_000_000) > 1, "it would take more than four milliseconds");
    // Three of them stand before the fourth, and nobody writes.
    let sizes = [600_000; 6].map(|bytes| {
        fast.try_open(false, Bytes::from(vec![3; bytes])).unwrap();
        fast.machine.unsent_bytes()
    });
    assert!(sizes[2] - sizes[1] > 600_000 && sizes[5] - sizes[4] < 20_000, "{sizes:?}");
}

#[test]
fn rule_c11_no_frame_is_longer_than_the_peer_takes() {
    let mut client = paced(10, 4_000_000);
    let peer_takes = 4 << 20;
    client.try_open(false, Bytes::from(vec![1; peer_takes])).unwrap();
    assert!(client.frames().iter().all(|frame| frame.content.len() <= peer_takes));
}
