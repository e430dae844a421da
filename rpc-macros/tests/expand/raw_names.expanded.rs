#[allow(clippy::manual_async_fn)]
trait r#Type: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn r#type(
        &self,
        r#in: String,
    ) -> impl ::core::future::Future<Output = String> + ::core::marker::Send;
}
///Calls a [`r#Type`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
struct TypeClient<S = ::farcall::__private::Channel>(::farcall::__private::Client<S>);
///Serves a [`r#Type`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
struct TypeServer<T>(::std::sync::Arc<T>);
///The requests of [`r#Type`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
enum TypeRequest {
    Type { r#in: String },
}
///The responses of [`r#Type`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
enum TypeResponse {
    Type(String),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Type",
        &[&__FARCALL_type],
    );
    static __FARCALL_type: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Type",
            "type",
        )
        .with_args(&["in"], &["String"])
        .with_output("String");
    const __FARCALL_ID_type: __farcall::MethodId = __FARCALL_type.id();
    impl<'de> __farcall::Message<'de> for TypeRequest
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Type { .. } => &__FARCALL_type,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Type { ref r#in } => {
                    __farcall::encode_args(serializer, &__FARCALL_type, (r#in,))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_type => {
                    __farcall::decode_args(deserializer, &__FARCALL_type)
                        .map(|(r#in,)| Self::Type { r#in })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] TypeRequest where [] [for < 'w > String : __farcall::Wire < 'w >,]
        [String] Type { r#in : r#in }
    }
    impl<'de> __farcall::Message<'de> for TypeResponse
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Type { .. } => &__FARCALL_type,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Type(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_type => {
                    __farcall::decode_output(deserializer).map(Self::Type)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] TypeResponse where [] [for < 'w > String : __farcall::Wire < 'w >,]
        [String] Type { 0 : value }
    }
    __farcall::server! {
        [] TypeServer[] T : r#Type; __FARCALL TypeRequest => TypeResponse where [] [for <
        'w > String : __farcall::Wire < 'w >]
    }
    impl<T: r#Type> __farcall::Handler for TypeServer<T>
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        type Request<'a> = TypeRequest;
        type Response = TypeResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                TypeRequest::Type { r#in } => {
                    TypeResponse::Type(<T as r#Type>::r#type(&self.0, r#in).await)
                }
            }
        }
    }
    __farcall::client! {
        [] TypeClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> TypeClient<S>
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        ///Calls `type`.
        fn r#type(
            &self,
            r#in: String,
        ) -> __farcall::Call<__farcall::Plain<String>, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_type, self.0.request(&TypeRequest::Type { r#in }))
        }
    }
    __farcall::travels::<String>();
};
