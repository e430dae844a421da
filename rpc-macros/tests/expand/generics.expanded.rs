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
    ::farcall::__private::Client<StoreRequest<V, N>, S>,
)
where
    V: Default;
///Serves a [`Store`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type StoreServer<V, const N: usize, T> = ::farcall::__private::Dispatcher<
    StoreRequest<V, N>,
    T,
>;
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
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Get { ref key } => encoder.args(&__FARCALL_get, (key,)),
                Self::Count {} => encoder.args(&__FARCALL_count, ()),
                Self::__Unused(ref never, _) => match *never {}
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_get => {
                    decoder.args(&__FARCALL_get, |(key,)| Self::Get { key })
                }
                __FARCALL_ID_count => decoder.args(&__FARCALL_count, |()| Self::Count {}),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de, V : Clone, const N : usize] StoreRequest < V, N > where [V : Default, V :
        'static,] [String] Get { key } Count {}; __Unused
    );
    impl<'de, V: Clone, const N: usize> __farcall::Message<'de> for StoreResponse<V, N>
    where
        V: Default,
        V: 'static,
        for<'w> Result<V, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<usize, Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Get(ref output) => encoder.result(&__FARCALL_get, output),
                Self::Count(ref output) => encoder.result(&__FARCALL_count, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_get => decoder.output(Self::Get),
                __FARCALL_ID_count => decoder.output(Self::Count),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de, V : Clone, const N : usize] StoreResponse < V, N > where [V : Default, V :
        'static,] [Result < V, Fault >, Result < usize, Fault >] Get(output)
        Count(output)
    );
    impl<V: Clone, const N: usize, T: Store<V, N>> __farcall::Dispatch<T>
    for StoreRequest<V, N>
    where
        V: Default,
        V: 'static,
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Result<V, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<usize, Fault>: __farcall::WireResult<'w>,
    {
        type Request<'a> = StoreRequest<V, N>;
        type Response = StoreResponse<V, N>;
        async fn run(
            handler: &T,
            request: StoreRequest<V, N>,
            streams: &mut __farcall::Streams,
        ) -> StoreResponse<V, N> {
            match request {
                StoreRequest::Get { key } => {
                    StoreResponse::Get(<T as Store<V, N>>::get(handler, key).await)
                }
                StoreRequest::Count {} => {
                    StoreResponse::Count(<T as Store<V, N>>::count(handler).await)
                }
            }
        }
    }
    __farcall::client!(
        pub [V : Clone, const N : usize,] StoreClient[V, N,] S where [V : Default, V :
        'static,]
    );
    impl<V: Clone, const N: usize, S: __farcall::Service> StoreClient<V, N, S>
    where
        V: Default,
        V: 'static,
        for<'w> StoreRequest<V, N>: __farcall::Message<'w>,
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
