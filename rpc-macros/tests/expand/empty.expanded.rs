#[allow(clippy::manual_async_fn)]
pub trait Nothing: ::core::marker::Send + ::core::marker::Sync + 'static {}
///Calls a [`Nothing`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct NothingClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<NothingRequest, S>,
);
///Serves a [`Nothing`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type NothingServer<T> = ::farcall::__private::Dispatcher<NothingRequest, T>;
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
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {}
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] NothingRequest where [] []);
    impl<'de> __farcall::Message<'de> for NothingResponse {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {}
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] NothingResponse where [] []);
    impl<T: Nothing> __farcall::Dispatch<T> for NothingRequest {
        type Request<'a> = NothingRequest;
        type Response = NothingResponse;
        async fn run(
            handler: &T,
            request: NothingRequest,
            streams: &mut __farcall::Streams,
        ) -> NothingResponse {
            match request {}
        }
    }
    __farcall::client!(pub [] NothingClient[] S where []);
    impl<S: __farcall::Service> NothingClient<S>
    where
        for<'w> NothingRequest: __farcall::Message<'w>,
    {}
    impl<S: __farcall::Service> Nothing for NothingClient<S> {}
};
