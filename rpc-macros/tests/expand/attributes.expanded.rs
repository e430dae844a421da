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
    ::farcall::__private::Client<S>,
);
#[cfg(feature = "store")]
///Serves a [`Store`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub(crate) struct StoreServer<T>(::std::sync::Arc<T>);
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
        for<'w> Item: __farcall::Wire<'w>,
        for<'w> __FarcallType0: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Get { .. } => &__FARCALL_get,
                #[cfg(feature = "all")]
                Self::All { .. } => &__FARCALL_all,
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
                #[cfg(feature = "all")]
                Self::All {} => __farcall::encode_args(serializer, &__FARCALL_all, ()),
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
                #[cfg(feature = "all")]
                __FARCALL_ID_all => {
                    __farcall::decode_args(deserializer, &__FARCALL_all)
                        .map(|()| Self::All {})
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] StoreRequest where [] [for < 'w > Key : __farcall::Wire < 'w >, for < 'w >
        Item : __farcall::Wire < 'w >, for < 'w > __FarcallType0 : __farcall::Wire < 'w
        >,] [Key] Get { key : key } #[cfg(feature = "all")] All {}
    }
    impl<'de> __farcall::Message<'de> for StoreResponse
    where
        for<'w> Key: __farcall::Wire<'w>,
        for<'w> Item: __farcall::Wire<'w>,
        for<'w> __FarcallType0: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Get { .. } => &__FARCALL_get,
                #[cfg(feature = "all")]
                Self::All { .. } => &__FARCALL_all,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Get(ref value) => __farcall::encode_output(serializer, value),
                #[cfg(feature = "all")]
                Self::All(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_get => __farcall::decode_output(deserializer).map(Self::Get),
                #[cfg(feature = "all")]
                __FARCALL_ID_all => __farcall::decode_output(deserializer).map(Self::All),
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] StoreResponse where [] [for < 'w > Key : __farcall::Wire < 'w >, for < 'w
        > Item : __farcall::Wire < 'w >, for < 'w > __FarcallType0 : __farcall::Wire < 'w
        >,] [Item, __FarcallType1] Get { 0 : value } #[cfg(feature = "all")] All { 0 :
        value }
    }
    __farcall::server! {
        pub (crate) [] StoreServer[] T : Store; __FARCALL StoreRequest => StoreResponse
        where [] [for < 'w > Key : __farcall::Wire < 'w >, for < 'w > Item :
        __farcall::Wire < 'w >, for < 'w > __FarcallType0 : __farcall::Wire < 'w >]
    }
    impl<T: Store> __farcall::Handler for StoreServer<T>
    where
        for<'w> Key: __farcall::Wire<'w>,
        for<'w> Item: __farcall::Wire<'w>,
        for<'w> __FarcallType0: __farcall::Wire<'w>,
    {
        type Request<'a> = StoreRequest;
        type Response = StoreResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                StoreRequest::Get { key } => {
                    StoreResponse::Get(<T as Store>::get(&self.0, key).await)
                }
                #[cfg(feature = "all")]
                StoreRequest::All {} => {
                    StoreResponse::All(<T as Store>::all(&self.0).await)
                }
            }
        }
    }
    __farcall::client! {
        pub (crate) [] StoreClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> StoreClient<S>
    where
        for<'w> Key: __farcall::Wire<'w>,
        for<'w> Item: __farcall::Wire<'w>,
        for<'w> __FarcallType0: __farcall::Wire<'w>,
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
