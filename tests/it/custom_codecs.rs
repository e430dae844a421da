//! A codec of a user's own, of which farcall knows nothing.

use farcall::{BoxError, CallError, Channel, Code, Codec, CodecKind, DecodeLimits, ErrorKind, Limits};
use futures::{StreamExt, stream};
use serde::Serialize;
use serde::de::DeserializeSeed;

use crate::kit::{self, LabClient, LabError, soon};

/// JSON behind four letters.
struct Toy;

impl Codec for Toy {
    const ID: u8 = 200;
    const NAME: &'static str = "toy";

    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
        out.extend_from_slice(b"toy:");
        Ok(serde_json::to_writer(out, value)?)
    }

    fn decode<'de, S: DeserializeSeed<'de>>(
        seed: S,
        bytes: &'de [u8],
        _: &DecodeLimits,
    ) -> Result<S::Value, BoxError> {
        let text = bytes.strip_prefix(b"toy:").ok_or("no toy")?;
        let mut from = serde_json::Deserializer::from_slice(text);
        let value = seed.deserialize(&mut from)?;
        from.end()?;
        Ok(value)
    }
}

const TOY: CodecKind = CodecKind::custom::<Toy>();

#[tokio::test]
async fn calls_of_all_shapes_go_in_a_codec_of_ones_own() {
    let limits = Limits::default().codec(TOY);
    let set = kit::serve_with("mem://", |server| server.limits(limits), Limits::default()).await;
    let client = LabClient::with_codec(set.channel.clone(), TOY);
    assert_eq!(client.echo("ünïcode".into()).await.unwrap(), "ünïcode");
    assert_eq!(client.measure("key", b"\x00\xff").await.unwrap(), (3, 2));
    let error = client.divide(1, 0).await.unwrap_err();
    assert!(matches!(error, CallError::Method(LabError::DivisionByZero)));
    assert!(
        client.count(9).await.unwrap().map(Result::unwrap).collect::<Vec<_>>().await.into_iter().eq(0..9)
    );
    assert_eq!(soon(client.sum(1, stream::iter(0..100u64))).await.unwrap(), 4951);
    assert_eq!(soon(set.client.echo("as before".into())).await.unwrap(), "as before");
}

#[tokio::test]
async fn fault_15_a_peer_without_the_codec_is_not_called_and_its_own_are_listed() {
    let set = kit::serve().await;
    let error = LabClient::with_codec(set.channel.clone(), TOY).echo("x".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("does not know codec 200; it knows postcard"), "{error}");
    assert_eq!(set.probe.counts().started, 0);
}

#[tokio::test]
async fn one_that_takes_the_number_of_another_is_told_by_what_it_says() {
    struct Other;

    impl Codec for Other {
        const ID: u8 = Toy::ID;
        const NAME: &'static str = "other";

        fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
            Ok(serde_json::to_writer(out, value)?)
        }

        fn decode<'de, S: DeserializeSeed<'de>>(
            _: S,
            _: &'de [u8],
            _: &DecodeLimits,
        ) -> Result<S::Value, BoxError> {
            Err("never".into())
        }
    }

    let limits = Limits::default().codec(TOY);
    let set = kit::serve_with("mem://", |server| server.limits(limits), Limits::default()).await;
    let channel = Channel::connect(set.server.uri()).await.unwrap();
    let client = LabClient::with_codec(channel, CodecKind::custom::<Other>());
    let error = client.echo("x".into()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.to_string().contains("no toy"), "{error}");
}

#[test]
fn the_limits_hold_around_it() {
    #[derive(serde::Serialize, serde::Deserialize, Debug)]
    struct Nest(Vec<Nest>);

    let decode = |text: &str| TOY.decode::<Nest>(text.as_bytes());
    assert!(decode("toy:[[[]]]").is_ok());
    let deep = format!("toy:{}", "[".repeat(200_000));
    let error = decode(&deep).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "nested deeper than 128 levels");
    assert_eq!(TOY, CodecKind::custom::<Toy>());
    assert_eq!((TOY.id(), TOY.name()), (200, "toy"));
    assert_eq!(format!("{TOY:?}"), "Custom(CustomCodec(200 toy))");
}
