#[allow(clippy::manual_async_fn)]
trait r#Type: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn r#type(
        &self,
        r#in: String,
    ) -> impl ::core::future::Future<Output = String> + ::core::marker::Send;
}
///Calls a [`r#Type`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
struct TypeClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<TypeRequest, S>,
);
///Serves a [`r#Type`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
type TypeServer<T> = ::farcall::__private::Dispatcher<TypeRequest, T>;
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
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Type { ref r#in } => encoder.args(&__FARCALL_type, (r#in,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_type => {
                    decoder.args(&__FARCALL_type, |(r#in,)| Self::Type { r#in })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] TypeRequest where [] [String] Type { r#in });
    impl<'de> __farcall::Message<'de> for TypeResponse
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Type(ref output) => encoder.output(&__FARCALL_type, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_type => decoder.output(Self::Type),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] TypeResponse where [] [String] Type(output));
    impl<T: r#Type> __farcall::Dispatch<T> for TypeRequest
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        type Request<'a> = TypeRequest;
        type Response = TypeResponse;
        async fn run(
            handler: &T,
            request: TypeRequest,
            streams: &mut __farcall::Streams,
        ) -> TypeResponse {
            match request {
                TypeRequest::Type { r#in } => {
                    TypeResponse::Type(<T as r#Type>::r#type(handler, r#in).await)
                }
            }
        }
    }
    __farcall::client!([] TypeClient[] S where []);
    impl<S: __farcall::Service> TypeClient<S>
    where
        for<'w> TypeRequest: __farcall::Message<'w>,
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
