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
    ::farcall::__private::Client<S>,
);
///Serves a [`Wrong`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct WrongServer<T>(::std::sync::Arc<T>);
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
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Right { .. } => &__FARCALL_right,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Right { ref a } => {
                    __farcall::encode_args(serializer, &__FARCALL_right, (a,))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_right => {
                    __farcall::decode_args(deserializer, &__FARCALL_right)
                        .map(|(a,)| Self::Right { a })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] WrongRequest where [] [for < 'w > i64 : __farcall::Wire < 'w >,] [i64]
        Right { a : a }
    }
    impl<'de> __farcall::Message<'de> for WrongResponse
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Right { .. } => &__FARCALL_right,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Right(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_right => {
                    __farcall::decode_output(deserializer).map(Self::Right)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] WrongResponse where [] [for < 'w > i64 : __farcall::Wire < 'w >,] [i64]
        Right { 0 : value }
    }
    __farcall::server! {
        pub [] WrongServer[] T : Wrong; __FARCALL WrongRequest => WrongResponse where []
        [for < 'w > i64 : __farcall::Wire < 'w >]
    }
    impl<T: Wrong> __farcall::Handler for WrongServer<T>
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        type Request<'a> = WrongRequest;
        type Response = WrongResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                WrongRequest::Right { a } => {
                    WrongResponse::Right(<T as Wrong>::right(&self.0, a).await)
                }
            }
        }
    }
    __farcall::client! {
        pub [] WrongClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> WrongClient<S>
    where
        for<'w> i64: __farcall::Wire<'w>,
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
