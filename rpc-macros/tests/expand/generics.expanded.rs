#[allow(clippy::manual_async_fn)]
pub trait Store<
    V: Clone,
    const N: usize,
>: Audit + ::core::marker::Send + ::core::marker::Sync + 'static
where
    V: Default,
{
    fn get(
        &self,
        key: String,
    ) -> impl ::core::future::Future<Output = Result<V, Fault>> + ::core::marker::Send;
    fn count(
        &self,
    ) -> impl ::core::future::Future<
        Output = Result<usize, Fault>,
    > + ::core::marker::Send;
}
///Calls a [`Store`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct StoreClient<V: Clone, const N: usize, S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<S>,
    ::core::marker::PhantomData<(fn() -> V,)>,
)
where
    V: Default;
///Serves a [`Store`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct StoreServer<V: Clone, const N: usize, T>(
    ::std::sync::Arc<T>,
    ::core::marker::PhantomData<(fn() -> V,)>,
)
where
    V: Default;
///The requests of [`Store`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum StoreRequest<V: Clone, const N: usize>
where
    V: Default,
{
    Get { key: String },
    Count,
    #[doc(hidden)]
    __Unused(::core::convert::Infallible, ::core::marker::PhantomData<(fn() -> V,)>),
}
///The responses of [`Store`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum StoreResponse<V: Clone, const N: usize>
where
    V: Default,
{
    Get(Result<V, Fault>),
    Count(Result<usize, Fault>),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Store",
        &[&__FARCALL_get, &__FARCALL_count],
    );
    static __FARCALL_get: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Store",
            "get",
        )
        .with_args(&["key"], &["String"])
        .with_output("Result<V, Fault>");
    const __FARCALL_ID_get: __farcall::MethodId = __FARCALL_get.id();
    static __FARCALL_count: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Store",
            "count",
        )
        .with_output("Result<usize, Fault>");
    const __FARCALL_ID_count: __farcall::MethodId = __FARCALL_count.id();
    impl<'de, V: Clone, const N: usize> __farcall::Message<'de> for StoreRequest<V, N>
    where
        V: Default,
        V: 'static,
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Result<V, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<usize, Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Get { .. } => &__FARCALL_get,
                Self::Count { .. } => &__FARCALL_count,
                Self::__Unused(ref never, _) => match *never {}
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Get { ref key } => {
                    __farcall::encode_args(serializer, &__FARCALL_get, (key,))
                }
                Self::Count {} => {
                    __farcall::encode_args(serializer, &__FARCALL_count, ())
                }
                Self::__Unused(ref never, _) => match *never {}
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_get => {
                    __farcall::decode_args(deserializer, &__FARCALL_get)
                        .map(|(key,)| Self::Get { key })
                }
                __FARCALL_ID_count => {
                    __farcall::decode_args(deserializer, &__FARCALL_count)
                        .map(|()| Self::Count {})
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de, V : Clone, const N : usize] StoreRequest < V, N > where [V : Default, V :
        'static,] [for < 'w > String : __farcall::Wire < 'w >, for < 'w > Result < V,
        Fault > : __farcall::WireResult < 'w >, for < 'w > Result < usize, Fault > :
        __farcall::WireResult < 'w >,] [String] Get { key : key } Count {}; __Unused
    }
    impl<'de, V: Clone, const N: usize> __farcall::Message<'de> for StoreResponse<V, N>
    where
        V: Default,
        V: 'static,
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Result<V, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<usize, Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Get { .. } => &__FARCALL_get,
                Self::Count { .. } => &__FARCALL_count,
            }
        }
        fn is_failed(&self) -> ::core::primitive::bool {
            match *self {
                Self::Get(ref value) => __farcall::IsResult::is_failure(value),
                Self::Count(ref value) => __farcall::IsResult::is_failure(value),
                _ => false,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Get(ref value) => __farcall::encode_output(serializer, value),
                Self::Count(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_get => __farcall::decode_output(deserializer).map(Self::Get),
                __FARCALL_ID_count => {
                    __farcall::decode_output(deserializer).map(Self::Count)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de, V : Clone, const N : usize] StoreResponse < V, N > where [V : Default, V :
        'static,] [for < 'w > String : __farcall::Wire < 'w >, for < 'w > Result < V,
        Fault > : __farcall::WireResult < 'w >, for < 'w > Result < usize, Fault > :
        __farcall::WireResult < 'w >,] [Result < V, Fault >, Result < usize, Fault >] Get
        { 0 : value } Count { 0 : value }
    }
    __farcall::server! {
        pub [V : Clone, const N : usize,] StoreServer[V, N,] T : Store < V, N >;
        __FARCALL StoreRequest < V, N > => StoreResponse < V, N > where [V : Default, V :
        'static,] [for < 'w > String : __farcall::Wire < 'w >, for < 'w > Result < V,
        Fault > : __farcall::WireResult < 'w >, for < 'w > Result < usize, Fault > :
        __farcall::WireResult < 'w >] PhantomData
    }
    impl<V: Clone, const N: usize, T: Store<V, N>> __farcall::Handler
    for StoreServer<V, N, T>
    where
        V: Default,
        V: 'static,
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Result<V, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<usize, Fault>: __farcall::WireResult<'w>,
    {
        type Request<'a> = StoreRequest<V, N>;
        type Response = StoreResponse<V, N>;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                StoreRequest::Get { key } => {
                    StoreResponse::Get(<T as Store<V, N>>::get(&self.0, key).await)
                }
                StoreRequest::Count {} => {
                    StoreResponse::Count(<T as Store<V, N>>::count(&self.0).await)
                }
            }
        }
    }
    __farcall::client! {
        pub [V : Clone, const N : usize,] StoreClient[V, N,] S; __FARCALL
        __farcall::Channel where [V : Default, V : 'static,] PhantomData
    }
    impl<V: Clone, const N: usize, S: __farcall::Service> StoreClient<V, N, S>
    where
        V: Default,
        V: 'static,
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Result<V, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<usize, Fault>: __farcall::WireResult<'w>,
    {
        ///Calls `get`.
        pub fn get(
            &self,
            key: String,
        ) -> __farcall::Call<
            __farcall::Fallible<Result<V, Fault>>,
            impl __farcall::Start + use<V, N, S>,
        > {
            self.0
                .call(
                    &__FARCALL_get,
                    self.0.request::<StoreRequest<V, N>>(&StoreRequest::Get { key }),
                )
        }
        ///Calls `count`.
        pub fn count(
            &self,
        ) -> __farcall::Call<
            __farcall::Fallible<Result<usize, Fault>>,
            impl __farcall::Start + use<V, N, S>,
        > {
            self.0
                .call(
                    &__FARCALL_count,
                    self.0.request::<StoreRequest<V, N>>(&StoreRequest::Count {}),
                )
        }
    }
    impl<V: Clone, const N: usize, S: __farcall::Service> Store<V, N>
    for StoreClient<V, N, S>
    where
        V: Default,
        V: 'static,
        Self: Audit,
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Result<V, Fault>: __farcall::Wire<'w>,
        for<'w> Result<usize, Fault>: __farcall::Wire<'w>,
        for<'w> Fault: __farcall::FromError<'w>,
    {
        async fn get(&self, key: String) -> Result<V, Fault> {
            __farcall::FromCall::from_call(Self::get(self, key).await)
        }
        async fn count(&self) -> Result<usize, Fault> {
            __farcall::FromCall::from_call(Self::count(self).await)
        }
    }
    __farcall::travels::<String>();
    __farcall::travels::<Fault>();
    __farcall::travels::<usize>();
    __farcall::is_result::<Result<usize, Fault>>();
};
