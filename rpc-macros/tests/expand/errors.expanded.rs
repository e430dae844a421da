::core::compile_error! {
    "a service has no associated types, for both sides have to know them: make the trait generic"
}
::core::compile_error! {
    "a method of a service is called on its handler: write `&self` first"
}
::core::compile_error! {
    "name this argument: patterns cannot be sent over the wire"
}
#[allow(clippy::manual_async_fn)]
pub trait Wrong: ::core::marker::Send + ::core::marker::Sync + 'static {
    type Item;
    fn right(
        &self,
        a: i64,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send;
    fn no_receiver(a: i64) -> impl ::core::future::Future<Output = i64>;
    fn pattern(&self, _: (i64, i64)) -> impl ::core::future::Future<Output = i64>;
}
///Calls a [`Wrong`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct WrongClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<WrongRequest, S>,
);
///Serves a [`Wrong`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type WrongServer<T> = ::farcall::__private::Dispatcher<WrongRequest, T>;
///The requests of [`Wrong`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum WrongRequest {
    Right { a: i64 },
}
///The responses of [`Wrong`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum WrongResponse {
    Right(i64),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Wrong",
        &[&__FARCALL_right],
    );
    static __FARCALL_right: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Wrong",
            "right",
        )
        .with_args(&["a"], &["i64"])
        .with_output("i64");
    const __FARCALL_ID_right: __farcall::MethodId = __FARCALL_right.id();
    impl<'de> __farcall::Message<'de> for WrongRequest
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Right { ref a } => encoder.args(&__FARCALL_right, (a,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_right => {
                    decoder.args(&__FARCALL_right, |(a,)| Self::Right { a })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] WrongRequest where [] [i64] Right { a });
    impl<'de> __farcall::Message<'de> for WrongResponse
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Right(ref output) => encoder.output(&__FARCALL_right, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_right => decoder.output(Self::Right),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] WrongResponse where [] [i64] Right(output));
    impl<T: Wrong> __farcall::Dispatch<T> for WrongRequest
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        type Request<'a> = WrongRequest;
        type Response = WrongResponse;
        async fn run(
            handler: &T,
            request: WrongRequest,
            streams: &mut __farcall::Streams,
        ) -> WrongResponse {
            match request {
                WrongRequest::Right { a } => {
                    WrongResponse::Right(<T as Wrong>::right(handler, a).await)
                }
            }
        }
    }
    __farcall::client!(pub [] WrongClient[] S where []);
    impl<S: __farcall::Service> WrongClient<S>
    where
        for<'w> WrongRequest: __farcall::Message<'w>,
    {
        ///Calls `right`.
        pub fn right(
            &self,
            a: i64,
        ) -> __farcall::Call<__farcall::Plain<i64>, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_right, self.0.request(&WrongRequest::Right { a }))
        }
    }
    __farcall::travels::<i64>();
};
