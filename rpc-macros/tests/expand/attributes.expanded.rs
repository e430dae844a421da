/// Keeps things.
#[cfg(feature = "store")]
#[allow(clippy::manual_async_fn)]
pub(crate) trait Store: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Gets one.
    #[deprecated(note = "use all")]
    #[allow(clippy::too_many_arguments)]
    fn get(
        &self,
        key: Key,
    ) -> impl ::core::future::Future<Output = Item> + ::core::marker::Send;
    #[cfg(feature = "all")]
    fn all(&self) -> impl ::core::future::Future<Output = All> + ::core::marker::Send;
}
#[cfg(feature = "store")]
///Calls a [`Store`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub(crate) struct StoreClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<StoreRequest, S>,
);
#[cfg(feature = "store")]
///Serves a [`Store`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub(crate) type StoreServer<T> = ::farcall::__private::Dispatcher<StoreRequest, T>;
#[cfg(feature = "store")]
///The requests of [`Store`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub(crate) enum StoreRequest {
    /// Gets one.
    Get { key: Key },
    #[cfg(feature = "all")]
    All,
}
#[cfg(feature = "store")]
///The responses of [`Store`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub(crate) enum StoreResponse {
    /// Gets one.
    Get(Item),
    #[cfg(feature = "all")]
    All(All),
}
#[cfg(feature = "store")]
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    #[cfg(all(feature = "all"))]
    type __FarcallType0 = All;
    #[cfg(not(all(feature = "all")))]
    type __FarcallType0 = ();
    #[cfg(all(feature = "all"))]
    type __FarcallType1 = All;
    #[cfg(not(all(feature = "all")))]
    type __FarcallType1 = ();
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
            "Store",
            &[&__FARCALL_get, #[cfg(feature = "all")] &__FARCALL_all],
        )
        .with_docs("Keeps things.");
    static __FARCALL_get: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Store",
            "get",
        )
        .with_args(&["key"], &["Key"])
        .with_output("Item")
        .with_docs("Gets one.");
    const __FARCALL_ID_get: __farcall::MethodId = __FARCALL_get.id();
    #[cfg(feature = "all")]
    static __FARCALL_all: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Store",
            "all",
        )
        .with_output("All");
    #[cfg(feature = "all")]
    const __FARCALL_ID_all: __farcall::MethodId = __FARCALL_all.id();
    impl<'de> __farcall::Message<'de> for StoreRequest
    where
        for<'w> Key: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Get { ref key } => encoder.args(&__FARCALL_get, (key,)),
                #[cfg(feature = "all")]
                Self::All {} => encoder.args(&__FARCALL_all, ()),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_get => {
                    decoder.args(&__FARCALL_get, |(key,)| Self::Get { key })
                }
                #[cfg(feature = "all")]
                __FARCALL_ID_all => decoder.args(&__FARCALL_all, |()| Self::All {}),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] StoreRequest where [] [Key] Get { key } #[cfg(feature = "all")] All {}
    );
    impl<'de> __farcall::Message<'de> for StoreResponse
    where
        for<'w> Item: __farcall::Wire<'w>,
        for<'w> __FarcallType1: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Get(ref output) => encoder.output(&__FARCALL_get, output),
                #[cfg(feature = "all")]
                Self::All(ref output) => encoder.output(&__FARCALL_all, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_get => decoder.output(Self::Get),
                #[cfg(feature = "all")]
                __FARCALL_ID_all => decoder.output(Self::All),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] StoreResponse where [] [Item, __FarcallType1] Get(output) #[cfg(feature =
        "all")] All(output)
    );
    impl<T: Store> __farcall::Dispatch<T> for StoreRequest
    where
        for<'w> Key: __farcall::Wire<'w>,
        for<'w> Item: __farcall::Wire<'w>,
        for<'w> __FarcallType0: __farcall::Wire<'w>,
    {
        type Request<'a> = StoreRequest;
        type Response = StoreResponse;
        async fn run(
            handler: &T,
            request: StoreRequest,
            streams: &mut __farcall::Streams,
        ) -> StoreResponse {
            match request {
                StoreRequest::Get { key } => {
                    StoreResponse::Get(<T as Store>::get(handler, key).await)
                }
                #[cfg(feature = "all")]
                StoreRequest::All {} => {
                    StoreResponse::All(<T as Store>::all(handler).await)
                }
            }
        }
    }
    __farcall::client!(pub (crate) [] StoreClient[] S where []);
    impl<S: __farcall::Service> StoreClient<S>
    where
        for<'w> StoreRequest: __farcall::Message<'w>,
    {
        /// Gets one.
        #[deprecated(note = "use all")]
        #[allow(clippy::too_many_arguments)]
        pub(crate) fn get(
            &self,
            key: Key,
        ) -> __farcall::Call<__farcall::Plain<Item>, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_get, self.0.request(&StoreRequest::Get { key }))
        }
        ///Calls `all`.
        #[cfg(feature = "all")]
        pub(crate) fn all(
            &self,
        ) -> __farcall::Call<__farcall::Plain<All>, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_all, self.0.request(&StoreRequest::All {}))
        }
    }
    __farcall::travels::<Key>();
    __farcall::travels::<Item>();
    #[cfg(feature = "all")] __farcall::travels::<All>();
};
