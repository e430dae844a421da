#[allow(clippy::manual_async_fn)]
pub trait Maths: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn add_all(
        &self,
        all: Vec<i64>,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send;
    fn note(
        &self,
        text: String,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
///Calls a [`Maths`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct MathsClient<S = other::farcall::__private::Channel>(
    other::farcall::__private::Client<S>,
);
///Serves a [`Maths`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct MathsServer<T>(::std::sync::Arc<T>);
///The requests of [`Maths`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum MathsRequest {
    AddAll { all: Vec<i64> },
    Note { text: String },
}
///The responses of [`Maths`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum MathsResponse {
    AddAll(i64),
    Note(()),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use other::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
            "maths",
            &[&__FARCALL_add_all, &__FARCALL_note],
        )
        .with_version("2");
    static __FARCALL_add_all: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "maths",
            "addAll",
        )
        .with_args(&["all"], &["Vec<i64>"])
        .with_output("i64")
        .with_idempotent()
        .with_timeout(::core::time::Duration::new(1u64, 500000000u32));
    const __FARCALL_ID_add_all: __farcall::MethodId = __FARCALL_add_all.id();
    static __FARCALL_note: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "maths",
            "noted",
        )
        .with_id(7u64)
        .with_args(&["text"], &["String"])
        .with_oneway();
    const __FARCALL_ID_note: __farcall::MethodId = __FARCALL_note.id();
    impl<'de> __farcall::Message<'de> for MathsRequest
    where
        for<'w> Vec<i64>: __farcall::Wire<'w>,
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::AddAll { .. } => &__FARCALL_add_all,
                Self::Note { .. } => &__FARCALL_note,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::AddAll { ref all } => {
                    __farcall::encode_args(serializer, &__FARCALL_add_all, (all,))
                }
                Self::Note { ref text } => {
                    __farcall::encode_args(serializer, &__FARCALL_note, (text,))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_add_all => {
                    __farcall::decode_args(deserializer, &__FARCALL_add_all)
                        .map(|(all,)| Self::AddAll { all })
                }
                __FARCALL_ID_note => {
                    __farcall::decode_args(deserializer, &__FARCALL_note)
                        .map(|(text,)| Self::Note { text })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] MathsRequest where [] [for < 'w > Vec < i64 > : __farcall::Wire < 'w >,
        for < 'w > i64 : __farcall::Wire < 'w >, for < 'w > String : __farcall::Wire < 'w
        >,] [Vec < i64 >, String] AddAll { all : all } Note { text : text }
    }
    impl<'de> __farcall::Message<'de> for MathsResponse
    where
        for<'w> Vec<i64>: __farcall::Wire<'w>,
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::AddAll { .. } => &__FARCALL_add_all,
                Self::Note { .. } => &__FARCALL_note,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::AddAll(ref value) => __farcall::encode_output(serializer, value),
                Self::Note(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_add_all => {
                    __farcall::decode_output(deserializer).map(Self::AddAll)
                }
                __FARCALL_ID_note => {
                    __farcall::decode_output(deserializer).map(Self::Note)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] MathsResponse where [] [for < 'w > Vec < i64 > : __farcall::Wire < 'w >,
        for < 'w > i64 : __farcall::Wire < 'w >, for < 'w > String : __farcall::Wire < 'w
        >,] [i64] AddAll { 0 : value } Note { 0 : value }
    }
    __farcall::server! {
        pub [] MathsServer[] T : Maths; __FARCALL MathsRequest => MathsResponse where []
        [for < 'w > Vec < i64 > : __farcall::Wire < 'w >, for < 'w > i64 :
        __farcall::Wire < 'w >, for < 'w > String : __farcall::Wire < 'w >]
    }
    impl<T: Maths> __farcall::Handler for MathsServer<T>
    where
        for<'w> Vec<i64>: __farcall::Wire<'w>,
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> String: __farcall::Wire<'w>,
    {
        type Request<'a> = MathsRequest;
        type Response = MathsResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                MathsRequest::AddAll { all } => {
                    MathsResponse::AddAll(<T as Maths>::add_all(&self.0, all).await)
                }
                MathsRequest::Note { text } => {
                    MathsResponse::Note(<T as Maths>::note(&self.0, text).await)
                }
            }
        }
    }
    __farcall::client! {
        pub [] MathsClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> MathsClient<S>
    where
        for<'w> Vec<i64>: __farcall::Wire<'w>,
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> String: __farcall::Wire<'w>,
    {
        ///Calls `add_all`.
        pub fn add_all(
            &self,
            all: Vec<i64>,
        ) -> __farcall::Call<__farcall::Plain<i64>, impl __farcall::Start + use<S>> {
            self.0
                .call(&__FARCALL_add_all, self.0.request(&MathsRequest::AddAll { all }))
        }
        ///Calls `note`.
        pub fn note(
            &self,
            text: String,
        ) -> __farcall::Call<__farcall::Nothing, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_note, self.0.request(&MathsRequest::Note { text }))
        }
    }
    __farcall::travels::<Vec<i64>>();
    __farcall::travels::<i64>();
    __farcall::travels::<String>();
};
