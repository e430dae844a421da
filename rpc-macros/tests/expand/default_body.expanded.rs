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
struct GreeterClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<GreeterRequest, S>,
);
///Serves a [`Greeter`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
type GreeterServer<T> = ::farcall::__private::Dispatcher<GreeterRequest, T>;
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
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Greet { ref name } => encoder.args(&__FARCALL_greet, (name,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_greet => {
                    decoder.args(&__FARCALL_greet, |(name,)| Self::Greet { name })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] GreeterRequest where [] [String] Greet { name });
    impl<'de> __farcall::Message<'de> for GreeterResponse
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Greet(ref output) => encoder.output(&__FARCALL_greet, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_greet => decoder.output(Self::Greet),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] GreeterResponse where [] [String] Greet(output));
    impl<T: Greeter> __farcall::Dispatch<T> for GreeterRequest
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        type Request<'a> = GreeterRequest;
        type Response = GreeterResponse;
        async fn run(
            handler: &T,
            request: GreeterRequest,
            streams: &mut __farcall::Streams,
        ) -> GreeterResponse {
            match request {
                GreeterRequest::Greet { name } => {
                    GreeterResponse::Greet(<T as Greeter>::greet(handler, name).await)
                }
            }
        }
    }
    __farcall::client!([] GreeterClient[] S where []);
    impl<S: __farcall::Service> GreeterClient<S>
    where
        for<'w> GreeterRequest: __farcall::Message<'w>,
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
