//! One test for each case of what a peer can do to a decoder.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::*;

const TOO_DEEP: &str = "nested deeper than 128 levels";

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Newtype(Option<Box<Newtype>>);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(transparent)]
struct Transparent(Option<Box<Transparent>>);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct List(Vec<List>);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Map(BTreeMap<u8, Map>);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Link {
    next: Option<Box<Link>>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Chain {
    End,
    Next(Box<Chain>),
    Pair(Box<Chain>, ()),
    Named { next: Box<Chain> },
}

#[track_caller]
fn assert_too_deep<T: for<'a> Deserialize<'a> + Debug>(level: &[u8]) {
    let bytes = level.repeat(200_000 / level.len());
    assert_eq!(postcard::<T>(&bytes).unwrap_err(), TOO_DEEP);
}

#[test]
fn fault_63_deep_values_are_refused() {
    assert_too_deep::<Newtype>(&[1]);
    assert_too_deep::<Transparent>(&[1]);
    assert_too_deep::<List>(&[1]);
    assert_too_deep::<Map>(&[1, 0]);
    assert_too_deep::<Link>(&[1]);
    assert_too_deep::<Chain>(&[1]);
    assert_too_deep::<Chain>(&[2]);
    assert_too_deep::<Chain>(&[3]);
    assert_too_deep::<Option<Chain>>(&[1, 2, 3]);
}

#[test]
fn fault_63_the_deepest_value_is_decoded() {
    let deep = |level: u8, levels: usize| [vec![level; levels], vec![0]].concat();
    assert!(postcard::<Transparent>(&deep(1, 128)).is_ok());
    assert_eq!(postcard::<Transparent>(&deep(1, 129)), Err(TOO_DEEP.into()));
    for variant in 1..=3 {
        assert!(postcard::<Chain>(&deep(variant, 128)).is_ok());
        assert_eq!(postcard::<Chain>(&deep(variant, 129)), Err(TOO_DEEP.into()));
    }
}

#[cfg(feature = "json")]
#[test]
fn fault_63_json_that_stands_for_endless_values_is_refused() {
    // Anything but null is `Some`, and a newtype is its content: serde_json alone overflows the stack on this.
    assert_eq!(json::<Newtype>("1"), Err(TOO_DEEP.into()));
    assert_eq!(json::<Transparent>("1"), Err(TOO_DEEP.into()));
}

#[derive(Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Nothing;

#[test]
fn fault_64_endless_empty_elements_are_refused() {
    let length = CodecKind::Postcard.encode(&(1_u64 << 40)).unwrap();
    let refused = format!("more than {} elements", 65_536 + length.len());
    assert_eq!(postcard::<Vec<()>>(&length), Err(refused.clone()));
    assert_eq!(postcard::<Vec<Nothing>>(&length), Err(refused.clone()));
    assert_eq!(postcard::<BTreeSet<Nothing>>(&length), Err(refused.clone()));
    assert_eq!(postcard::<BTreeMap<(), ()>>(&length), Err(refused.clone()));
    assert_eq!(postcard::<HashMap<(), Nothing>>(&length), Err(refused));
}

#[test]
fn fault_64_the_elements_of_all_sequences_count_together() {
    let many = CodecKind::Postcard.encode(&vec![vec![(); 1000]; 1000]).unwrap();
    let refused = format!("more than {} elements", 65_536 + many.len());
    assert_eq!(postcard::<Vec<Vec<()>>>(&many), Err(refused));
}

#[test]
fn fault_64_honest_values_are_within_the_budget() {
    #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
    struct Outer {
        inner: Inner,
        nothing: (),
    }
    #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
    struct Inner((u8,));

    let nested = vec![Outer { inner: Inner((1,)), nothing: () }; 200_000];
    assert_eq!(postcard(&CodecKind::Postcard.encode(&nested).unwrap()), Ok(nested));
    let empty = vec![Vec::<u8>::new(); 200_000];
    assert_eq!(postcard(&CodecKind::Postcard.encode(&empty).unwrap()), Ok(empty));
    let nothing = vec![(); 65_536];
    assert_eq!(postcard(&CodecKind::Postcard.encode(&nothing).unwrap()), Ok(nothing));
}

thread_local! {
    static HINTED: Cell<usize> = const { Cell::new(0) };
}

/// Sums up the room that it is told to make.
#[derive(Debug)]
struct Hinted;

impl<'de> Deserialize<'de> for Hinted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Hinted)
    }
}

impl<'de> Visitor<'de> for Hinted {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sequences")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        HINTED.set(HINTED.get() + elements.size_hint().unwrap_or(0));
        while elements.next_element::<Hinted>()?.is_some() {}
        Ok(self)
    }
}

#[test]
fn fault_64_room_is_made_for_no_more_elements_than_there_are_bytes() {
    postcard::<Hinted>(&[100; 200]).unwrap_err();
    let hinted = HINTED.take();
    assert!((100..=200).contains(&hinted), "room was made for {hinted} elements");

    let honest = CodecKind::Postcard.encode(&vec![Vec::<()>::new(); 100]).unwrap();
    postcard::<Hinted>(&honest).unwrap();
    assert_eq!(HINTED.take(), 100);
}

#[test]
fn fault_65_trailing_bytes_are_refused() {
    assert_eq!(postcard::<u8>(&[1]), Ok(1));
    assert_eq!(postcard::<u8>(&[1, 2, 3]), Err("2 bytes follow the value".into()));
    assert_eq!(postcard::<()>(&[0]), Err("1 bytes follow the value".into()));
    #[cfg(feature = "json")]
    {
        assert_eq!(json::<u8>(" 1 \n"), Ok(1));
        assert!(json::<u8>("1 2").unwrap_err().contains("trailing characters"));
        assert!(json::<u8>("1\0").unwrap_err().contains("trailing characters"));
    }
}

#[test]
fn fault_11_numbers_of_too_many_bytes_are_refused() {
    let too_long = |bytes| [vec![0x80; bytes], vec![0]].concat();
    assert!(postcard::<u16>(&too_long(3)).is_err());
    assert!(postcard::<u32>(&too_long(5)).is_err());
    assert!(postcard::<i64>(&too_long(10)).is_err());
    assert!(postcard::<u128>(&too_long(19)).is_err());
    assert!(postcard::<Vec<u8>>(&too_long(10)).is_err());
    assert!(postcard::<Chain>(&too_long(5)).is_err());
    // More bits than the type has.
    assert!(postcard::<u16>(&[0xff, 0xff, 0x07]).is_err());
    assert!(postcard::<u64>(&[vec![0xff; 9], vec![0x02]].concat()).is_err());
}

#[test]
fn fault_11_numbers_of_more_bytes_than_needed_are_accepted_as_postcard_specifies() {
    assert_eq!(postcard::<u16>(&[0x80, 0x80, 0x00]), Ok(0));
    assert_eq!(postcard::<u64>(&[vec![0x81], vec![0x80; 8], vec![0]].concat()), Ok(1));
    assert_eq!(postcard::<String>(&[0x81, 0x00, b'a']), Ok("a".into()));
}

#[test]
fn fault_11_lengths_over_the_message_are_refused() {
    for length in [2, 1 << 20, 1 << 40, u64::MAX] {
        let bytes = CodecKind::Postcard.encode(&(length, 0_u8)).unwrap();
        assert!(postcard::<String>(&bytes).is_err());
        assert!(postcard::<&str>(&bytes).is_err());
        assert!(postcard::<&[u8]>(&bytes).is_err());
        assert!(postcard::<Vec<u8>>(&bytes).is_err());
        assert!(postcard::<Vec<[u64; 32]>>(&bytes).is_err());
        assert!(postcard::<HashMap<u64, u64>>(&bytes).is_err());
        assert!(postcard::<char>(&bytes).is_err());
    }
}

#[cfg(feature = "json")]
#[test]
fn fault_16_deep_json_is_refused() {
    let lists = "[".repeat(200_000);
    assert_eq!(json::<List>(&lists), Err(TOO_DEEP.into()));
    let maps = "{\"0\":".repeat(100_000);
    assert_eq!(json::<Map>(&maps), Err(TOO_DEEP.into()));
    // Here each level is one of JSON's too, and serde_json's own limit, which stays on, is reached first.
    let chain = "{\"Next\":".repeat(100_000);
    assert!(json::<Chain>(&chain).unwrap_err().contains("recursion limit"));
}

#[cfg(feature = "json")]
#[test]
fn fault_16_deep_json_that_is_skipped_takes_no_stack() {
    let deep = format!(r#"{{"other":{}{},"next":null}}"#, "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(json::<Link>(&deep), Ok(Link { next: None }));
}

#[cfg(feature = "json")]
#[test]
fn fault_16_json_elements_are_limited() {
    let limits = DecodeLimits { free_elements_max: 0, ..DecodeLimits::default() };
    let decode = |text: &str| Json::decode(PhantomData::<Vec<u8>>, text.as_bytes(), &limits);
    // An element takes two bytes and so never costs more than it brings.
    let many = format!("[{}0]", "0,".repeat(1_000_000));
    assert_eq!(decode(&many).unwrap().len(), 1_000_001);

    let limits = DecodeLimits { depth_max: 1, ..limits };
    let nested = Json::decode(PhantomData::<Vec<Vec<u8>>>, b"[[]]", &limits);
    assert_eq!(nested.unwrap_err().to_string(), "nested deeper than 1 levels");
}

#[cfg(feature = "messagepack")]
#[test]
fn fault_16_deep_messagepack_is_refused() {
    let refused = Err(TOO_DEEP.to_owned());
    let codec = CodecKind::MessagePack;
    assert_eq!(decode::<List>(codec, &[0x91; 200_000]).map(drop), refused);
    assert_eq!(decode::<Map>(codec, &[0x81, 0].repeat(100_000)).map(drop), refused);
    assert_eq!(decode::<Chain>(codec, &b"\x81\xa4Next".repeat(30_000)).map(drop), refused);
    // Anything but nil is `Some`, and a newtype is its content, so this would never end.
    assert_eq!(decode::<Newtype>(codec, &[1]).map(drop), refused);
    let skipped = [b"\x82\xa5other", &[0x91; 200_000][..], b"\xc0\xa4next\xc0"].concat();
    assert_eq!(decode::<Link>(codec, &skipped).map(drop), refused);
}

#[cfg(feature = "cbor")]
#[test]
fn fault_16_deep_cbor_is_refused() {
    let refused = Err(TOO_DEEP.to_owned());
    let codec = CodecKind::Cbor;
    assert_eq!(decode::<List>(codec, &[0x81; 200_000]).map(drop), refused);
    assert_eq!(decode::<List>(codec, &[0x9f; 200_000]).map(drop), refused, "of unknown length");
    assert_eq!(decode::<Map>(codec, &[0xa1, 0].repeat(100_000)).map(drop), refused);
    assert_eq!(decode::<Chain>(codec, &b"\xa1\x64Next".repeat(30_000)).map(drop), refused);
    assert_eq!(decode::<Newtype>(codec, &[1]).map(drop), refused);
    // What is skipped is counted by the library.
    for level in [0x81, 0x9f, 0xc1] {
        let skipped = [b"\xa2\x65other", &[level; 200_000][..]].concat();
        assert!(decode::<Link>(codec, &skipped).unwrap_err().contains("DepthOverflow"));
    }
}

#[test]
fn fault_16_the_deepest_value_is_decoded_in_every_codec() {
    let deep = |levels| (0..levels).fold(Chain::End, |chain, _| Chain::Pair(Box::new(chain), ()));
    // JSON's own limit counts a variant and its content apart.
    for codec in CodecKind::general().filter(|codec| codec.name() != "json") {
        let fits = codec.encode(&deep(128)).unwrap();
        assert_eq!(decode(codec, &fits), Ok(deep(128)), "{}", codec.name());
        let over = codec.encode(&deep(129)).unwrap();
        assert_eq!(decode::<Chain>(codec, &over), Err(TOO_DEEP.into()), "{}", codec.name());
    }
}

#[cfg(all(feature = "cbor", feature = "messagepack"))]
#[test]
fn fault_16_huge_declared_lengths_take_no_memory() {
    let messagepack: [&[u8]; 3] = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"];
    let cbor: [&[u8]; 4] = [
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\x00\x00\x01\x00\x00\x00\x00\x00",
        b"\x5b\x00\x00\x01\x00\x00\x00\x00\x00",
        b"\x7b\x00\x00\x01\x00\x00\x00\x00\x00",
    ];
    let cases = messagepack.map(|bytes| (CodecKind::MessagePack, bytes)).into_iter();
    for (codec, bytes) in cases.chain(cbor.map(|bytes| (CodecKind::Cbor, bytes))) {
        // Room for what is declared would be 2^32 elements and more, which no machine that this runs on has.
        assert!(decode::<Vec<[u64; 32]>>(codec, bytes).is_err());
        assert!(decode::<HashMap<u64, [u64; 32]>>(codec, bytes).is_err());
        assert!(decode::<Vec<u8>>(codec, bytes).is_err());
        assert!(decode::<String>(codec, bytes).is_err());
        assert!(decode::<BorrowedBytes<'_>>(codec, bytes).is_err());
        HINTED.set(0);
        assert!(decode::<Hinted>(codec, bytes).is_err());
        assert!(HINTED.take() <= bytes.len(), "room was made for more elements than there are bytes");
    }
}

#[cfg(all(feature = "cbor", feature = "messagepack"))]
#[test]
fn fault_16_elements_that_take_a_byte_each_are_within_the_budget_and_end_with_the_message() {
    let limits = DecodeLimits { free_elements_max: 0, ..DecodeLimits::default() };
    let nothing = vec![(); 1000];
    let bytes = CodecKind::MessagePack.encode(&nothing).unwrap();
    assert_eq!(MessagePack::decode(PhantomData::<Vec<()>>, &bytes, &limits).unwrap(), nothing);
    let bytes = CodecKind::Cbor.encode(&nothing).unwrap();
    assert_eq!(Cbor::decode(PhantomData::<Vec<()>>, &bytes, &limits).unwrap(), nothing);
}

#[cfg(all(feature = "cbor", feature = "messagepack"))]
#[test]
fn fault_65_trailing_bytes_are_refused_in_every_codec() {
    for codec in [CodecKind::Cbor, CodecKind::MessagePack] {
        for more in [&[0_u8][..], &[0xff], &[0xc1], &[0x81]] {
            let bytes = [&codec.encode("Ada").unwrap()[..], more].concat();
            let refused = decode::<String>(codec, &bytes).unwrap_err();
            assert!(refused.contains("follow the value"), "{} {more:?}: {refused}", codec.name());
        }
    }
}
