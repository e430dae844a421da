#[allow(clippy::manual_async_fn)]
pub trait Nothing: ::core::marker::Send + ::core::marker::Sync + 'static {}
///Calls a [`Nothing`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct NothingClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<S>,
);
///Serves a [`Nothing`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct NothingServer<T>(::std::sync::Arc<T>);
///The requests of [`Nothing`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum NothingRequest {}
///The responses of [`Nothing`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum NothingResponse {}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Nothing",
        &[],
    );
    impl<'de> __farcall::Message<'de> for NothingRequest {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {}
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {}
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] NothingRequest where [] [] []
    }
    impl<'de> __farcall::Message<'de> for NothingResponse {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {}
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {}
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] NothingResponse where [] [] []
    }
    __farcall::server! {
        pub [] NothingServer[] T : Nothing; __FARCALL NothingRequest => NothingResponse
        where [] []
    }
    impl<T: Nothing> __farcall::Handler for NothingServer<T> {
        type Request<'a> = NothingRequest;
        type Response = NothingResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {}
        }
    }
    __farcall::client! {
        pub [] NothingClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> NothingClient<S> {}
    impl<S: __farcall::Service> Nothing for NothingClient<S> {}
};
