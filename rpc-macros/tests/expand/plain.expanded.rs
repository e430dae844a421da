#[allow(clippy::manual_async_fn)]
trait Maths: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn add(
        &self,
        a: i64,
        b: i64,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send;
}
///Calls a [`Maths`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
struct MathsClient<S = ::farcall::__private::Channel>(::farcall::__private::Client<S>);
///Serves a [`Maths`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
struct MathsServer<T>(::std::sync::Arc<T>);
///The requests of [`Maths`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
enum MathsRequest {
    Add { a: i64, b: i64 },
}
///The responses of [`Maths`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
enum MathsResponse {
    Add(i64),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Maths",
        &[&__FARCALL_add],
    );
    static __FARCALL_add: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Maths",
            "add",
        )
        .with_args(&["a", "b"], &["i64", "i64"])
        .with_output("i64");
    const __FARCALL_ID_add: __farcall::MethodId = __FARCALL_add.id();
    impl<'de> __farcall::Message<'de> for MathsRequest
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Add { .. } => &__FARCALL_add,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Add { ref a, ref b } => {
                    __farcall::encode_args(serializer, &__FARCALL_add, (a, b))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_add => {
                    __farcall::decode_args(deserializer, &__FARCALL_add)
                        .map(|(a, b)| Self::Add { a, b })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] MathsRequest where [] [for < 'w > i64 : __farcall::Wire < 'w >,] [i64] Add
        { a : a, b : b }
    }
    impl<'de> __farcall::Message<'de> for MathsResponse
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Add { .. } => &__FARCALL_add,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Add(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_add => __farcall::decode_output(deserializer).map(Self::Add),
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] MathsResponse where [] [for < 'w > i64 : __farcall::Wire < 'w >,] [i64]
        Add { 0 : value }
    }
    __farcall::server! {
        [] MathsServer[] T : Maths; __FARCALL MathsRequest => MathsResponse where [] [for
        < 'w > i64 : __farcall::Wire < 'w >]
    }
    impl<T: Maths> __farcall::Handler for MathsServer<T>
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        type Request<'a> = MathsRequest;
        type Response = MathsResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                MathsRequest::Add { a, b } => {
                    MathsResponse::Add(<T as Maths>::add(&self.0, a, b).await)
                }
            }
        }
    }
    __farcall::client! {
        [] MathsClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> MathsClient<S>
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        ///Calls `add`.
        fn add(
            &self,
            a: i64,
            b: i64,
        ) -> __farcall::Call<__farcall::Plain<i64>, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_add, self.0.request(&MathsRequest::Add { a, b }))
        }
    }
    __farcall::travels::<i64>();
};
