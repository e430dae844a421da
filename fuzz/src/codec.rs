//! Codecs: values come back as they were, and arbitrary bytes are a value or an error, in memory that is in proportion to them.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use farcall::{Body, CallError, CodecKind, Compression, Compressor, Message, Proto, Request, shared_bytes};
use rpc_core::compression::unpack;
use serde::{Deserialize, Serialize};

use crate::source::Source;

/// Every kind of value that serde knows.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Value {
    Unit,
    Truth(bool),
    Small(i8, u16),
    Number(i64),
    Huge(u128, i128),
    Real(f64),
    Letter(char),
    Text(String),
    Bytes(#[serde(with = "shared_bytes")] Bytes),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Maybe(Option<Box<Value>>),
    Named { id: u32, inner: Box<Value> },
    Wrapped(Wrapper),
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Wrapper((Box<Value>, [u8; 3]));

/// What travels in the codec that holds nothing else, and as bytes in the others.
#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(string, repeated, tag = "2")]
    lines: Vec<String>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    note: Option<Bytes>,
    #[prost(sint32, repeated, tag = "4")]
    sums: Vec<i32>,
    #[prost(message, repeated, tag = "5")]
    parts: Vec<Order>,
}

#[farcall::service]
trait Shop {
    async fn echo(&self, key: &str, value: Value, tags: Option<Vec<String>>) -> Result<Value, Value>;
    async fn keep(&self, content: &[u8], number: i128) -> (usize, i128);
    async fn stop(&self);
}

/// Gives back what it is given; a key that starts with `!` makes it an error.
struct Mirror;

impl Shop for Mirror {
    async fn echo(&self, key: &str, value: Value, tags: Option<Vec<String>>) -> Result<Value, Value> {
        assert!(tags.is_none_or(|tags| tags == [key]));
        if key.starts_with('!') { Err(value) } else { Ok(value) }
    }

    async fn keep(&self, content: &[u8], number: i128) -> (usize, i128) {
        (content.len(), number)
    }

    async fn stop(&self) {}
}

/// Makes a value of the input, or takes it for one that is encoded.
pub fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let codec = source.choose(CodecKind::ALL);
    if codec == CodecKind::Protobuf {
        return check_message(codec, source.bytes(usize::MAX));
    }
    if source.flag() {
        let key = String::from_utf8_lossy(source.bytes(4)).into_owned();
        let value = value(&mut source, 0);
        check_value(codec, &value);
        check_call(codec, &key, &value);
    } else {
        let encoded = source.bytes(usize::MAX);
        check_compressed(encoded);
        check_bytes(codec, encoded);
        check_request(codec, encoded);
    }
}

/// The levels of a value that is made: fewer than may be decoded, of which a `Wrapped` takes three.
const DEPTH_MAX: usize = 24;

fn value(source: &mut Source<'_>, depth: usize) -> Value {
    let number = |source: &mut Source<'_>| u128::from_le_bytes(source.number());
    let text = |source: &mut Source<'_>| {
        let count = usize::from(source.byte() % 16);
        String::from_utf8_lossy(source.bytes(count)).into_owned()
    };
    let kinds = if depth < DEPTH_MAX && !source.is_empty() { 14 } else { 9 };
    let inner = |source: &mut Source<'_>| value(source, depth + 1);
    match source.byte() % kinds {
        0 => Value::Unit,
        1 => Value::Truth(source.flag()),
        2 => Value::Small(source.byte().cast_signed(), u16::from_le_bytes(source.number())),
        3 => Value::Number(i64::from_le_bytes(source.number())),
        4 => Value::Huge(number(source), number(source).cast_signed()),
        // JSON has no numbers that are none.
        5 => Value::Real(
            Some(f64::from_le_bytes(source.number())).filter(|real| real.is_finite()).unwrap_or(-0.0),
        ),
        6 => Value::Letter(char::from_u32(u32::from_le_bytes(source.number()) % 0x11_0000).unwrap_or('ß')),
        7 => Value::Text(text(source)),
        // Long enough now and then to be a part of its message.
        8 => Value::Bytes(source.bytes(4).repeat(usize::from(source.byte()) * 8).into()),
        9 => Value::List((0..source.byte() % 8).map(|_| inner(source)).collect()),
        10 => Value::Map((0..source.byte() % 8).map(|_| (text(source), inner(source))).collect()),
        11 => Value::Maybe(source.flag().then(|| Box::new(inner(source)))),
        12 => Value::Named { id: u32::from_le_bytes(source.number()), inner: Box::new(inner(source)) },
        _ => Value::Wrapped(Wrapper((Box::new(inner(source)), source.number()))),
    }
}

fn check_value(codec: CodecKind, value: &Value) {
    let encoded = codec.encode(value).expect("every value can be encoded");
    let decoded: Value = codec.decode(&encoded).expect("what was encoded can be decoded");
    assert_eq!(decoded, *value, "{} has changed a value", codec.name());
    let cut = encoded.len() - 1;
    assert!(codec.decode::<Value>(&encoded[..cut]).is_err(), "a value that is cut off was decoded");
    assert!(codec.decode::<Value>(&[&encoded[..], b"1"].concat()).is_err(), "a byte follows the value");
}

/// Calls the service with the value, which so passes through all that is generated for arguments and results.
fn check_call(codec: CodecKind, key: &str, value: &Value) {
    let client = ShopClient::with_codec(ShopServer::new(Mirror), codec);
    let calls = async {
        let echoed = match client.echo(key, value.clone(), Some(vec![key.to_owned()])).await {
            Ok(echoed) => (false, echoed),
            Err(CallError::Method(echoed)) => (true, echoed),
            Err(error) => panic!("the call failed: {error:?}"),
        };
        assert_eq!(echoed, (key.starts_with('!'), value.clone()));
        let kept = client.keep(key.as_bytes(), -1).await.expect("nothing lies between");
        assert_eq!(kept, (key.len(), -1));
        client.stop().await.expect("nothing lies between");
    };
    let polled = pin!(calls).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(()), "a call in one process waits for nothing");
}

/// Decodes bytes as types that differ in what they make of them; what is a value comes back as it was.
fn check_bytes(codec: CodecKind, encoded: &[u8]) {
    type Mixed<'a> = (u64, String, Vec<u8>, Option<char>, Bytes);
    type Maps = HashMap<u64, BTreeMap<u8, ()>>;
    if let Some(value) = decode::<Value>(codec, encoded) {
        let again = codec.encode(&value).expect("what was decoded can be encoded");
        let again: Value = codec.decode(&again).expect("what was encoded can be decoded");
        // Numbers that are none differ from themselves.
        assert!(again == value || format!("{again:?}") == format!("{value:?}"), "{value:?} is {again:?} now");
    }
    decode::<Vec<Option<Value>>>(codec, encoded);
    decode::<Mixed<'_>>(codec, encoded);
    decode::<Maps>(codec, encoded);
    decode::<Vec<Vec<Vec<()>>>>(codec, encoded);
    decode::<(&str, &[u8])>(codec, encoded);
}

/// Takes bytes for a compressed message; what they are inflated to is within the limit, and comes back.
fn check_compressed(encoded: &[u8]) {
    const BYTES_MAX: u32 = 16 << 10;
    for compressor in Compressor::ALL {
        let message = Bytes::from([&[compressor.id()], encoded].concat());
        let mut inflated = None;
        let info =
            allocation_counter::measure(|| inflated = unpack(&message, Compressor::ALL, BYTES_MAX).ok());
        // Beside the message what the decompressors themselves need.
        assert!(info.bytes_max <= 128 << 10, "{} bytes of memory for {}", info.bytes_max, compressor.name());
        let Some(inflated) = inflated else { continue };
        assert!(inflated.len() <= BYTES_MAX as usize);
        let agreed = Compression::new(*compressor).min_bytes(0).agree(&[compressor.id()], BYTES_MAX);
        let packed = agreed.expect("it is known").pack(&inflated);
        assert_eq!(unpack(&packed, Compressor::ALL, BYTES_MAX), Ok(inflated));
    }
}

/// Takes bytes for a message of prost; one that they are comes back in every codec.
fn check_message(codec: CodecKind, encoded: &[u8]) {
    if let Some(order) = decode::<Proto<Order>>(codec, encoded) {
        for codec in CodecKind::ALL {
            let again = codec.encode(&order).expect("what was decoded can be encoded");
            assert_eq!(codec.decode::<Proto<Order>>(&again).expect("what was encoded can be decoded"), order);
        }
    }
    decode::<Result<Proto<Order>, Proto<Order>>>(codec, encoded);
    decode::<Result<(), Proto<Order>>>(codec, encoded);
    assert!(decode::<Value>(codec, encoded).is_none(), "a value that is no message was decoded");
}

fn check_request(codec: CodecKind, encoded: &[u8]) {
    let body = Bytes::copy_from_slice(encoded);
    for method in ShopRequest::SERVICE.methods() {
        let request = Request::by_id(method.id(), codec, Body::new(body.clone()));
        let info = allocation_counter::measure(|| drop(request.message::<ShopRequest<'_>>()));
        check_memory(encoded, info.bytes_max);
    }
}

fn decode<'de, T: Deserialize<'de>>(codec: CodecKind, encoded: &'de [u8]) -> Option<T> {
    let mut decoded = None;
    let info = allocation_counter::measure(|| decoded = codec.decode(encoded).ok());
    check_memory(encoded, info.bytes_max);
    decoded
}

/// The most memory that a byte can become: a map of one entry has a node with room for eleven.
const BYTES_PER_BYTE: u64 = 400;
/// The memory of an error's texts, and of what grows before it is used.
const BYTES_FREE: u64 = 16 << 10;

fn check_memory(encoded: &[u8], bytes: u64) {
    let bytes_max = BYTES_FREE + encoded.len() as u64 * BYTES_PER_BYTE;
    assert!(bytes <= bytes_max, "{bytes} bytes of memory for {} of input", encoded.len());
}
