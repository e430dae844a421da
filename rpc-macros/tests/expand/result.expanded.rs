#[allow(clippy::manual_async_fn)]
pub trait Maths: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn divide(
        &self,
        a: i64,
        b: i64,
    ) -> impl ::core::future::Future<
        Output = Result<i64, MathError>,
    > + ::core::marker::Send;
    fn root(
        &self,
        of: f64,
    ) -> impl ::core::future::Future<Output = crate::Result<f64>> + ::core::marker::Send;
}
///Calls a [`Maths`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct MathsClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<MathsRequest, S>,
);
///Serves a [`Maths`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type MathsServer<T> = ::farcall::__private::Dispatcher<MathsRequest, T>;
///The requests of [`Maths`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum MathsRequest {
    Divide { a: i64, b: i64 },
    Root { of: f64 },
}
///The responses of [`Maths`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum MathsResponse {
    Divide(Result<i64, MathError>),
    Root(crate::Result<f64>),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Maths",
        &[&__FARCALL_divide, &__FARCALL_root],
    );
    static __FARCALL_divide: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Maths",
            "divide",
        )
        .with_args(&["a", "b"], &["i64", "i64"])
        .with_output("Result<i64, MathError>");
    const __FARCALL_ID_divide: __farcall::MethodId = __FARCALL_divide.id();
    static __FARCALL_root: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Maths",
            "root",
        )
        .with_args(&["of"], &["f64"])
        .with_output("crate::Result<f64>");
    const __FARCALL_ID_root: __farcall::MethodId = __FARCALL_root.id();
    impl<'de> __farcall::Message<'de> for MathsRequest
    where
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> f64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Divide { ref a, ref b } => encoder.args(&__FARCALL_divide, (a, b)),
                Self::Root { ref of } => encoder.args(&__FARCALL_root, (of,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_divide => {
                    decoder.args(&__FARCALL_divide, |(a, b)| Self::Divide { a, b })
                }
                __FARCALL_ID_root => {
                    decoder.args(&__FARCALL_root, |(of,)| Self::Root { of })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] MathsRequest where [] [i64, f64] Divide { a, b } Root { of }
    );
    impl<'de> __farcall::Message<'de> for MathsResponse
    where
        for<'w> Result<i64, MathError>: __farcall::WireResult<'w>,
        for<'w> crate::Result<f64>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Divide(ref output) => encoder.result(&__FARCALL_divide, output),
                Self::Root(ref output) => encoder.result(&__FARCALL_root, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_divide => decoder.output(Self::Divide),
                __FARCALL_ID_root => decoder.output(Self::Root),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] MathsResponse where [] [Result < i64, MathError >, crate ::Result < f64 >]
        Divide(output) Root(output)
    );
    impl<T: Maths> __farcall::Dispatch<T> for MathsRequest
    where
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> Result<i64, MathError>: __farcall::WireResult<'w>,
        for<'w> f64: __farcall::Wire<'w>,
        for<'w> crate::Result<f64>: __farcall::WireResult<'w>,
    {
        type Request<'a> = MathsRequest;
        type Response = MathsResponse;
        async fn run(
            handler: &T,
            request: MathsRequest,
            streams: &mut __farcall::Streams,
        ) -> MathsResponse {
            match request {
                MathsRequest::Divide { a, b } => {
                    MathsResponse::Divide(<T as Maths>::divide(handler, a, b).await)
                }
                MathsRequest::Root { of } => {
                    MathsResponse::Root(<T as Maths>::root(handler, of).await)
                }
            }
        }
    }
    __farcall::client!(pub [] MathsClient[] S where []);
    impl<S: __farcall::Service> MathsClient<S>
    where
        for<'w> MathsRequest: __farcall::Message<'w>,
    {
        ///Calls `divide`.
        pub fn divide(
            &self,
            a: i64,
            b: i64,
        ) -> __farcall::Call<
            __farcall::Fallible<Result<i64, MathError>>,
            impl __farcall::Start + use<S>,
        > {
            self.0
                .call(&__FARCALL_divide, self.0.request(&MathsRequest::Divide { a, b }))
        }
        ///Calls `root`.
        pub fn root(
            &self,
            of: f64,
        ) -> __farcall::Call<
            __farcall::Fallible<crate::Result<f64>>,
            impl __farcall::Start + use<S>,
        > {
            self.0.call(&__FARCALL_root, self.0.request(&MathsRequest::Root { of }))
        }
    }
    impl<S: __farcall::Service> Maths for MathsClient<S>
    where
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> Result<i64, MathError>: __farcall::Wire<'w>,
        for<'w> f64: __farcall::Wire<'w>,
        for<'w> crate::Result<f64>: __farcall::Wire<'w>,
        for<'w> MathError: __farcall::FromError<'w>,
        for<'w> crate::Result<f64>: __farcall::FromCall<'w>,
    {
        async fn divide(&self, a: i64, b: i64) -> Result<i64, MathError> {
            __farcall::FromCall::from_call(Self::divide(self, a, b).await)
        }
        async fn root(&self, of: f64) -> crate::Result<f64> {
            __farcall::FromCall::from_call(Self::root(self, of).await)
        }
    }
    __farcall::travels::<i64>();
    __farcall::travels::<MathError>();
    __farcall::is_result::<Result<i64, MathError>>();
    __farcall::travels::<f64>();
    __farcall::result_travels::<crate::Result<f64>>();
};
