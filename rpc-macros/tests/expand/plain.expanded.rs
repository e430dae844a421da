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
struct MathsClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<MathsRequest, S>,
);
///Serves a [`Maths`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
type MathsServer<T> = ::farcall::__private::Dispatcher<MathsRequest, T>;
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
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Add { ref a, ref b } => encoder.args(&__FARCALL_add, (a, b)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_add => {
                    decoder.args(&__FARCALL_add, |(a, b)| Self::Add { a, b })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] MathsRequest where [] [i64] Add { a, b });
    impl<'de> __farcall::Message<'de> for MathsResponse
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Add(ref output) => encoder.output(&__FARCALL_add, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_add => decoder.output(Self::Add),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] MathsResponse where [] [i64] Add(output));
    impl<T: Maths> __farcall::Dispatch<T> for MathsRequest
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        type Request<'a> = MathsRequest;
        type Response = MathsResponse;
        async fn run(
            handler: &T,
            request: MathsRequest,
            streams: &mut __farcall::Streams,
        ) -> MathsResponse {
            match request {
                MathsRequest::Add { a, b } => {
                    MathsResponse::Add(<T as Maths>::add(handler, a, b).await)
                }
            }
        }
    }
    __farcall::client!([] MathsClient[] S where []);
    impl<S: __farcall::Service> MathsClient<S>
    where
        for<'w> MathsRequest: __farcall::Message<'w>,
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
