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
pub struct KvClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<KvRequest<'static>, S>,
);
///Serves a [`Kv`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type KvServer<T> = ::farcall::__private::Dispatcher<KvRequest<'static>, T>;
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
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Put { ref key, ref value } => {
                    encoder.args(&__FARCALL_put, (&**key, &__farcall::AsBytes(value)))
                }
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_put => {
                    decoder
                        .args(
                            &__FARCALL_put,
                            |
                                (
                                    __farcall::BorrowedStr(key),
                                    __farcall::BorrowedBytes(value),
                                )|
                            Self::Put { key, value },
                        )
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] KvRequest < 'de > where [] [] Put { key, value });
    impl<'de> __farcall::Message<'de> for KvResponse {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Put(ref output) => encoder.output(&__FARCALL_put, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_put => decoder.output(Self::Put),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] KvResponse where [] [] Put(output));
    impl<T: Kv> __farcall::Dispatch<T> for KvRequest<'static> {
        type Request<'a> = KvRequest<'a>;
        type Response = KvResponse;
        async fn run(
            handler: &T,
            request: KvRequest<'_>,
            streams: &mut __farcall::Streams,
        ) -> KvResponse {
            match request {
                KvRequest::Put { key, value } => {
                    KvResponse::Put(<T as Kv>::put(handler, &key, &value).await)
                }
            }
        }
    }
    __farcall::client!(pub [] KvClient[] S where []);
    impl<S: __farcall::Service> KvClient<S>
    where
        for<'w> KvRequest<'w>: __farcall::Message<'w>,
    {
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
