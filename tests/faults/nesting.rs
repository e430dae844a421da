//! Binary codecs in which a few bytes stand for much.

use crate::process::{ServerProcess, Times};
use crate::values::refuses;
use crate::wire::{self, RawPeer};

/// The number of a codec, and how it writes what a hostile peer needs.
struct Words {
    codec: u8,
    /// Arguments of one name.
    arguments: u8,
    text: fn(&str) -> Vec<u8>,
    /// A map of one entry, and a list of one element.
    map: u8,
    list: u8,
    /// A list of 2^32 - 1 elements.
    endless: &'static [u8],
    nothing: u8,
}

const WORDS: [Words; 2] = [
    Words {
        codec: 3,
        arguments: 0x81,
        text: |text| [&[0xa0 | text.len() as u8], text.as_bytes()].concat(),
        map: 0x81,
        list: 0x91,
        endless: b"\xdd\xff\xff\xff\xff",
        nothing: 0xc0,
    },
    Words {
        codec: 4,
        arguments: 0xa1,
        text: |text| [&[0x60 | text.len() as u8], text.as_bytes()].concat(),
        map: 0xa1,
        list: 0x81,
        endless: b"\x9a\xff\xff\xff\xff",
        nothing: 0x80,
    },
];

#[tokio::test]
async fn fault_16_deep_and_endless_binary_values_are_refused_in_constant_memory() {
    let server = ServerProcess::start(Times::default());
    let (_, ward) = server.clients().await;
    assert_eq!(ward.empties(vec![(); 1000]).await.unwrap(), 1000);
    let started = ward.gauge().await.unwrap().started;
    let mut peer = RawPeer::open(&server.uri).await;
    let mut sequence = 0;
    let mut call = |words: &Words, method: &str, argument: &str, value: &[u8]| {
        sequence += 1;
        let arguments = [&[words.arguments], &(words.text)(argument)[..], value].concat();
        let mut bytes = match arguments.len() {
            0..=4096 => wire::open(sequence, method, &arguments),
            _ => wire::open_in_parts(sequence, method, &arguments),
        };
        bytes[6] = words.codec;
        bytes
    };
    let memory = server.memory_kib();
    server.forget_memory_peak();
    for words in WORDS {
        let level = [&[words.map], &(words.text)("More")[..]].concat();
        let deep = call(&words, "Ward/deep", "value", &level.repeat(30_000));
        refuses(&mut peer, &deep, "nested deeper than 128 levels").await;
        let lists = call(&words, "Ward/deep", "value", &[words.list; 200_000]);
        refuses(&mut peer, &lists, "Ward/deep").await;
        let endless = call(&words, "Ward/empties", "all", words.endless);
        refuses(&mut peer, &endless, "Ward/empties").await;
        let more = [words.endless, &[words.nothing; 1000]].concat();
        let endless = call(&words, "Ward/empties", "all", &more);
        refuses(&mut peer, &endless, "Ward/empties").await;
    }
    let grown = server.memory_peak_kib() - memory;
    assert!(grown < 2 << 10, "{grown} KiB were taken");
    assert_eq!(ward.gauge().await.unwrap().started, started, "none of these calls ran");
}
