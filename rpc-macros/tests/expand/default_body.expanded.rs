#[allow(clippy::manual_async_fn)]
trait Greeter: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn greet(
        &self,
        name: String,
    ) -> impl ::core::future::Future<Output = String> + ::core::marker::Send {
        async move { format!("Hello, {name}!") }
    }
}
///Calls a [`Greeter`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
struct GreeterClient<S = ::farcall::__private::Channel>(::farcall::__private::Client<S>);
///Serves a [`Greeter`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
struct GreeterServer<T>(::std::sync::Arc<T>);
///The requests of [`Greeter`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
enum GreeterRequest {
    Greet { name: String },
}
///The responses of [`Greeter`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
enum GreeterResponse {
    Greet(String),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Greeter",
        &[&__FARCALL_greet],
    );
    static __FARCALL_greet: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Greeter",
            "greet",
        )
        .with_args(&["name"], &["String"])
        .with_output("String");
    const __FARCALL_ID_greet: __farcall::MethodId = __FARCALL_greet.id();
    impl<'de> __farcall::Message<'de> for GreeterRequest
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Greet { .. } => &__FARCALL_greet,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Greet { ref name } => {
                    __farcall::encode_args(serializer, &__FARCALL_greet, (name,))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_greet => {
                    __farcall::decode_args(deserializer, &__FARCALL_greet)
                        .map(|(name,)| Self::Greet { name })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] GreeterRequest where [] [for < 'w > String : __farcall::Wire < 'w >,]
        [String] Greet { name : name }
    }
    impl<'de> __farcall::Message<'de> for GreeterResponse
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Greet { .. } => &__FARCALL_greet,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Greet(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_greet => {
                    __farcall::decode_output(deserializer).map(Self::Greet)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] GreeterResponse where [] [for < 'w > String : __farcall::Wire < 'w >,]
        [String] Greet { 0 : value }
    }
    __farcall::server! {
        [] GreeterServer[] T : Greeter; __FARCALL GreeterRequest => GreeterResponse where
        [] [for < 'w > String : __farcall::Wire < 'w >]
    }
    impl<T: Greeter> __farcall::Handler for GreeterServer<T>
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        type Request<'a> = GreeterRequest;
        type Response = GreeterResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                GreeterRequest::Greet { name } => {
                    GreeterResponse::Greet(<T as Greeter>::greet(&self.0, name).await)
                }
            }
        }
    }
    __farcall::client! {
        [] GreeterClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> GreeterClient<S>
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        ///Calls `greet`.
        fn greet(
            &self,
            name: String,
        ) -> __farcall::Call<__farcall::Plain<String>, impl __farcall::Start + use<S>> {
            self.0
                .call(&__FARCALL_greet, self.0.request(&GreeterRequest::Greet { name }))
        }
    }
    __farcall::travels::<String>();
};
