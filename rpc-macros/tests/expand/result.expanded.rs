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
    ::farcall::__private::Client<S>,
);
///Serves a [`Maths`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct MathsServer<T>(::std::sync::Arc<T>);
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
        for<'w> Result<i64, MathError>: __farcall::WireResult<'w>,
        for<'w> f64: __farcall::Wire<'w>,
        for<'w> crate::Result<f64>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Divide { .. } => &__FARCALL_divide,
                Self::Root { .. } => &__FARCALL_root,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Divide { ref a, ref b } => {
                    __farcall::encode_args(serializer, &__FARCALL_divide, (a, b))
                }
                Self::Root { ref of } => {
                    __farcall::encode_args(serializer, &__FARCALL_root, (of,))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_divide => {
                    __farcall::decode_args(deserializer, &__FARCALL_divide)
                        .map(|(a, b)| Self::Divide { a, b })
                }
                __FARCALL_ID_root => {
                    __farcall::decode_args(deserializer, &__FARCALL_root)
                        .map(|(of,)| Self::Root { of })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] MathsRequest where [] [for < 'w > i64 : __farcall::Wire < 'w >, for < 'w >
        Result < i64, MathError > : __farcall::WireResult < 'w >, for < 'w > f64 :
        __farcall::Wire < 'w >, for < 'w > crate ::Result < f64 > : __farcall::WireResult
        < 'w >,] [i64, f64] Divide { a : a, b : b } Root { of : of }
    }
    impl<'de> __farcall::Message<'de> for MathsResponse
    where
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> Result<i64, MathError>: __farcall::WireResult<'w>,
        for<'w> f64: __farcall::Wire<'w>,
        for<'w> crate::Result<f64>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Divide { .. } => &__FARCALL_divide,
                Self::Root { .. } => &__FARCALL_root,
            }
        }
        fn is_failed(&self) -> ::core::primitive::bool {
            match *self {
                Self::Divide(ref value) => __farcall::IsResult::is_failure(value),
                Self::Root(ref value) => __farcall::IsResult::is_failure(value),
                _ => false,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Divide(ref value) => __farcall::encode_output(serializer, value),
                Self::Root(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_divide => {
                    __farcall::decode_output(deserializer).map(Self::Divide)
                }
                __FARCALL_ID_root => {
                    __farcall::decode_output(deserializer).map(Self::Root)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] MathsResponse where [] [for < 'w > i64 : __farcall::Wire < 'w >, for < 'w
        > Result < i64, MathError > : __farcall::WireResult < 'w >, for < 'w > f64 :
        __farcall::Wire < 'w >, for < 'w > crate ::Result < f64 > : __farcall::WireResult
        < 'w >,] [Result < i64, MathError >, crate ::Result < f64 >] Divide { 0 : value }
        Root { 0 : value }
    }
    __farcall::server! {
        pub [] MathsServer[] T : Maths; __FARCALL MathsRequest => MathsResponse where []
        [for < 'w > i64 : __farcall::Wire < 'w >, for < 'w > Result < i64, MathError > :
        __farcall::WireResult < 'w >, for < 'w > f64 : __farcall::Wire < 'w >, for < 'w >
        crate ::Result < f64 > : __farcall::WireResult < 'w >]
    }
    impl<T: Maths> __farcall::Handler for MathsServer<T>
    where
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> Result<i64, MathError>: __farcall::WireResult<'w>,
        for<'w> f64: __farcall::Wire<'w>,
        for<'w> crate::Result<f64>: __farcall::WireResult<'w>,
    {
        type Request<'a> = MathsRequest;
        type Response = MathsResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                MathsRequest::Divide { a, b } => {
                    MathsResponse::Divide(<T as Maths>::divide(&self.0, a, b).await)
                }
                MathsRequest::Root { of } => {
                    MathsResponse::Root(<T as Maths>::root(&self.0, of).await)
                }
            }
        }
    }
    __farcall::client! {
        pub [] MathsClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> MathsClient<S>
    where
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> Result<i64, MathError>: __farcall::WireResult<'w>,
        for<'w> f64: __farcall::Wire<'w>,
        for<'w> crate::Result<f64>: __farcall::WireResult<'w>,
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
