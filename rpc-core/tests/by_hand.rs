//! A service written by hand as `#[service]` generates it: the core works without the macro.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unused_qualifications,
    unreachable_pub,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs
)]
use std::borrow::Cow;

use futures::{Stream, StreamExt};
use rpc_core::__private as p;
use rpc_core::{
    Call, CallError, Client, Dispatcher, Error, Message, MethodDescriptor, MethodId, MethodKind, Router,
    Service, ServiceDescriptor, Start, Streaming,
};

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TooBig;

/// What [`Kv::watch`] answers before its items.
type Begun = Result<(), TooBig>;

impl From<Error> for TooBig {
    fn from(_: Error) -> Self {
        TooBig
    }
}

pub trait Kv: Send + Sync + 'static {
    fn put(&self, key: &str, value: &[u8]) -> impl Future<Output = Result<u64, TooBig>> + Send;
    fn watch(
        &self,
        prefix: String,
    ) -> impl Future<Output = Result<impl Stream<Item = Result<String, TooBig>> + Send, TooBig>> + Send;
    fn upload(&self, name: String, parts: Streaming<u32>)
    -> impl Future<Output = Result<u32, TooBig>> + Send;
}

#[derive(Clone, Debug)]
pub enum KvRequest<'a> {
    Put { key: Cow<'a, str>, value: Cow<'a, [u8]> },
    Watch { prefix: String },
    Upload { name: String },
}

pub enum KvResponse {
    Put(Result<u64, TooBig>),
    Watch(Result<(), TooBig>),
    Upload(Result<u32, TooBig>),
}

pub type KvServer<T> = Dispatcher<KvRequest<'static>, T>;

pub struct KvClient<S>(Client<KvRequest<'static>, S>);

const _: () = {
    static SERVICE: ServiceDescriptor =
        ServiceDescriptor::new("Kv", &[&METHOD_PUT, &METHOD_WATCH, &METHOD_UPLOAD]);
    static METHOD_PUT: MethodDescriptor = MethodDescriptor::new("Kv", "put")
        .with_args(&["key", "value"], &["&str", "&[u8]"])
        .with_output("Result<u64, TooBig>");
    static METHOD_WATCH: MethodDescriptor = MethodDescriptor::new("Kv", "watch")
        .with_kind(MethodKind::ServerStreaming)
        .with_args(&["prefix"], &["String"]);
    static METHOD_UPLOAD: MethodDescriptor = MethodDescriptor::new("Kv", "upload")
        .with_kind(MethodKind::ClientStreaming)
        .with_args(&["name"], &["String"]);
    const ID_PUT: MethodId = METHOD_PUT.id();
    const ID_WATCH: MethodId = METHOD_WATCH.id();
    const ID_UPLOAD: MethodId = METHOD_UPLOAD.id();

    impl<'de> Message<'de> for KvRequest<'de>
    where
        for<'w> String: p::Wire<'w>,
    {
        const SERVICE: &'static ServiceDescriptor = &SERVICE;
        fn encode<E: p::Encoder>(&self, encoder: E) -> E::Output {
            match self {
                Self::Put { key, value } => encoder.args(&METHOD_PUT, (&**key, &p::AsBytes(value))),
                Self::Watch { prefix } => encoder.args(&METHOD_WATCH, (prefix,)),
                Self::Upload { name } => encoder.args(&METHOD_UPLOAD, (name,)),
            }
        }
        fn decode<D: p::Decoder<'de>>(decoder: D) -> D::Output<Self> {
            match decoder.method() {
                ID_PUT => decoder.args(&METHOD_PUT, |(p::BorrowedStr(key), p::BorrowedBytes(value))| {
                    Self::Put { key, value }
                }),
                ID_WATCH => decoder.args(&METHOD_WATCH, |(prefix,)| Self::Watch { prefix }),
                ID_UPLOAD => decoder.args(&METHOD_UPLOAD, |(name,)| Self::Upload { name }),
                _ => decoder.unknown(),
            }
        }
    }

    impl<'de> p::Deserialize<'de> for KvRequest<'de> {
        fn deserialize<D: p::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            p::deserialize_message(deserializer)
        }
    }

    impl p::Serialize for KvRequest<'_> {
        fn serialize<S: p::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            p::serialize_message(self, serializer)
        }
    }

    impl<'de> Message<'de> for KvResponse
    where
        for<'w> Result<u64, TooBig>: p::Wire<'w>,
    {
        const SERVICE: &'static ServiceDescriptor = &SERVICE;
        fn encode<E: p::Encoder>(&self, encoder: E) -> E::Output {
            match self {
                Self::Put(value) => encoder.result(&METHOD_PUT, value),
                Self::Watch(value) => encoder.result(&METHOD_WATCH, value),
                Self::Upload(value) => encoder.result(&METHOD_UPLOAD, value),
            }
        }
        fn decode<D: p::Decoder<'de>>(decoder: D) -> D::Output<Self> {
            match decoder.method() {
                ID_PUT => decoder.output(Self::Put),
                ID_WATCH => decoder.output(Self::Watch),
                ID_UPLOAD => decoder.output(Self::Upload),
                _ => decoder.unknown(),
            }
        }
    }

    impl<T: Kv> p::Dispatch<T> for KvRequest<'static> {
        type Request<'a> = KvRequest<'a>;
        type Response = KvResponse;
        async fn run(handler: &T, request: KvRequest<'_>, streams: &mut p::Streams) -> KvResponse {
            match request {
                KvRequest::Put { key, value } => KvResponse::Put(handler.put(&key, &value).await),
                KvRequest::Watch { prefix } => {
                    KvResponse::Watch(streams.send_result(handler.watch(prefix).await).await)
                }
                KvRequest::Upload { name } => {
                    KvResponse::Upload(handler.upload(name, streams.incoming()).await)
                }
            }
        }
    }

    impl<S: Service> KvClient<S> {
        pub fn new(service: S) -> Self {
            Self(Client::new(service))
        }
        pub fn put(
            &self,
            key: &str,
            value: &[u8],
        ) -> Call<p::Fallible<Result<u64, TooBig>>, impl Start + use<S>> {
            let request = KvRequest::Put { key: Cow::Borrowed(key), value: Cow::Borrowed(value) };
            self.0.call(&METHOD_PUT, self.0.request(&request))
        }
        pub fn watch(
            &self,
            prefix: String,
        ) -> Call<p::FallibleItems<p::Fallible<Result<String, TooBig>>, Begun>, impl Start + use<S>> {
            self.0.call(&METHOD_WATCH, self.0.request(&KvRequest::Watch { prefix }))
        }
        pub fn upload<St>(
            &self,
            name: String,
            parts: St,
        ) -> Call<p::Fallible<Result<u32, TooBig>>, impl Start + use<S, St>>
        where
            St: Stream<Item = u32> + Send + 'static,
        {
            self.0.call_with_items(&METHOD_UPLOAD, self.0.request(&KvRequest::Upload { name }), p::Own(parts))
        }
    }

    impl<S: Service> Kv for KvClient<S>
    where
        for<'w> TooBig: p::FromError<'w>,
    {
        async fn put(&self, key: &str, value: &[u8]) -> Result<u64, TooBig> {
            p::FromCall::from_call(Self::put(self, key, value).await)
        }
        async fn watch(
            &self,
            prefix: String,
        ) -> Result<impl Stream<Item = Result<String, TooBig>> + Send, TooBig> {
            <Result<(), TooBig> as p::FromCall<'_>>::own_error(Self::watch(self, prefix).await)
                .map(p::own_items)
        }
        async fn upload(&self, name: String, parts: Streaming<u32>) -> Result<u32, TooBig> {
            let request = self.0.request(&KvRequest::Upload { name });
            p::FromCall::from_call(
                self.0
                    .call_with_items::<p::Fallible<Result<u32, TooBig>>, _>(&METHOD_UPLOAD, request, parts)
                    .await,
            )
        }
    }
};

struct Real;

impl Kv for Real {
    async fn put(&self, key: &str, value: &[u8]) -> Result<u64, TooBig> {
        if key == "big" { Err(TooBig) } else { Ok(value.len() as u64) }
    }
    async fn watch(
        &self,
        prefix: String,
    ) -> Result<impl Stream<Item = Result<String, TooBig>> + Send, TooBig> {
        if prefix.is_empty() {
            return Err(TooBig);
        }
        Ok(futures::stream::iter(0..200).map(move |n| Ok(format!("{prefix}{n}"))))
    }
    async fn upload(&self, _: String, mut parts: Streaming<u32>) -> Result<u32, TooBig> {
        let mut sum = 0;
        while let Some(part) = parts.next().await {
            sum += part.map_err(|_| TooBig)?;
        }
        Ok(sum)
    }
}

fn is_static<T: Send + 'static>(value: T) -> T {
    value
}

#[tokio::test]
async fn a_service_in_the_same_process_answers_in_all_shapes() {
    let client = KvClient::new(Router::new().with(KvServer::new(Real)).unwrap());
    assert_eq!(is_static(client.put("a", b"xyz")).await.unwrap(), 3);
    assert!(matches!(client.put("big", b"").await, Err(CallError::Method(TooBig))));
    let sum = client.upload("n".into(), futures::stream::iter([1, 2, 3])).await.unwrap();
    assert_eq!(sum, 6);
    let all: Vec<_> = client.watch("k".into()).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!((all.len(), all[199].as_str()), (200, "k199"));
    assert!(matches!(client.watch(String::new()).await, Err(CallError::Method(TooBig))));
}

#[tokio::test]
async fn a_client_stands_in_for_the_trait() {
    async fn generic(kv: &impl Kv) -> u32 {
        kv.put("a", b"1").await.unwrap();
        kv.upload("n".into(), Streaming::of([4, 5])).await.unwrap()
    }
    assert_eq!(generic(&KvClient::new(KvServer::new(Real))).await, 9);
    assert_eq!(generic(&Real).await, 9);
}

#[test]
fn a_whole_message_survives_a_recording() {
    let bytes = rpc_core::CodecKind::Postcard.encode(&KvRequest::Put { key: "k".into(), value: b"v".into() });
    let bytes = bytes.unwrap();
    let read: KvRequest<'_> = rpc_core::CodecKind::Postcard.decode(&bytes).unwrap();
    assert!(matches!(read, KvRequest::Put { key: Cow::Borrowed("k"), value: Cow::Borrowed(b"v") }));
}
