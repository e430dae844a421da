#[allow(clippy::manual_async_fn)]
pub trait Kv: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn put(
        &self,
        key: &str,
        value: &[u8],
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
///Calls a [`Kv`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct KvClient<S = ::farcall::__private::Channel>(::farcall::__private::Client<S>);
///Serves a [`Kv`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct KvServer<T>(::std::sync::Arc<T>);
///The requests of [`Kv`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum KvRequest<'a> {
    Put {
        key: ::std::borrow::Cow<'a, ::core::primitive::str>,
        value: ::std::borrow::Cow<'a, [::core::primitive::u8]>,
    },
}
///The responses of [`Kv`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum KvResponse {
    Put(()),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Kv",
        &[&__FARCALL_put],
    );
    static __FARCALL_put: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Kv",
            "put",
        )
        .with_args(&["key", "value"], &["&str", "&[u8]"]);
    const __FARCALL_ID_put: __farcall::MethodId = __FARCALL_put.id();
    impl<'de> __farcall::Message<'de> for KvRequest<'de> {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Put { .. } => &__FARCALL_put,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Put { ref key, ref value } => {
                    __farcall::encode_args(
                        serializer,
                        &__FARCALL_put,
                        (&**key, &__farcall::AsBytes(value)),
                    )
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_put => {
                    __farcall::decode_args(deserializer, &__FARCALL_put)
                        .map(|
                            (
                                __farcall::BorrowedStr(key),
                                __farcall::BorrowedBytes(value),
                            )|
                        Self::Put { key, value })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] KvRequest < 'de > where [] [] [] Put { key : key, value : value }
    }
    impl<'de> __farcall::Message<'de> for KvResponse {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Put { .. } => &__FARCALL_put,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Put(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_put => __farcall::decode_output(deserializer).map(Self::Put),
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] KvResponse where [] [] [] Put { 0 : value }
    }
    __farcall::server! {
        pub [] KvServer[] T : Kv; __FARCALL KvRequest < '_ > => KvResponse where [] []
    }
    impl<T: Kv> __farcall::Handler for KvServer<T> {
        type Request<'a> = KvRequest<'a>;
        type Response = KvResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                KvRequest::Put { key, value } => {
                    KvResponse::Put(<T as Kv>::put(&self.0, &key, &value).await)
                }
            }
        }
    }
    __farcall::client! {
        pub [] KvClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> KvClient<S> {
        ///Calls `put`.
        pub fn put(
            &self,
            key: &str,
            value: &[u8],
        ) -> __farcall::Call<__farcall::Plain<()>, impl __farcall::Start + use<S>> {
            self.0
                .call(
                    &__FARCALL_put,
                    self
                        .0
                        .request(
                            &KvRequest::Put {
                                key: ::std::borrow::Cow::Borrowed(key),
                                value: ::std::borrow::Cow::Borrowed(value),
                            },
                        ),
                )
        }
    }
};
