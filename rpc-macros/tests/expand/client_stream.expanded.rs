#[allow(clippy::manual_async_fn)]
pub trait Files: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn upload(
        &self,
        name: String,
        parts: Streaming<Bytes>,
    ) -> impl ::core::future::Future<
        Output = Result<Receipt, Fault>,
    > + ::core::marker::Send;
}
///Calls a [`Files`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct FilesClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<S>,
);
///Serves a [`Files`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct FilesServer<T>(::std::sync::Arc<T>);
///The requests of [`Files`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum FilesRequest {
    Upload { name: String },
}
///The responses of [`Files`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum FilesResponse {
    Upload(Result<Receipt, Fault>),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Files",
        &[&__FARCALL_upload],
    );
    static __FARCALL_upload: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Files",
            "upload",
        )
        .with_kind(__farcall::MethodKind::ClientStreaming)
        .with_args(&["name"], &["String"])
        .with_output("Result<Receipt, Fault>");
    const __FARCALL_ID_upload: __farcall::MethodId = __FARCALL_upload.id();
    impl<'de> __farcall::Message<'de> for FilesRequest
    where
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Bytes: __farcall::Wire<'w>,
        for<'w> Result<Receipt, Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Upload { .. } => &__FARCALL_upload,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Upload { ref name } => {
                    __farcall::encode_args(serializer, &__FARCALL_upload, (name,))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_upload => {
                    __farcall::decode_args(deserializer, &__FARCALL_upload)
                        .map(|(name,)| Self::Upload { name })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] FilesRequest where [] [for < 'w > String : __farcall::Wire < 'w >, for <
        'w > Bytes : __farcall::Wire < 'w >, for < 'w > Result < Receipt, Fault > :
        __farcall::WireResult < 'w >,] [String] Upload { name : name }
    }
    impl<'de> __farcall::Message<'de> for FilesResponse
    where
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Bytes: __farcall::Wire<'w>,
        for<'w> Result<Receipt, Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Upload { .. } => &__FARCALL_upload,
            }
        }
        fn is_failed(&self) -> ::core::primitive::bool {
            match *self {
                Self::Upload(ref value) => __farcall::IsResult::is_failure(value),
                _ => false,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Upload(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_upload => {
                    __farcall::decode_output(deserializer).map(Self::Upload)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] FilesResponse where [] [for < 'w > String : __farcall::Wire < 'w >, for <
        'w > Bytes : __farcall::Wire < 'w >, for < 'w > Result < Receipt, Fault > :
        __farcall::WireResult < 'w >,] [Result < Receipt, Fault >] Upload { 0 : value }
    }
    __farcall::server! {
        pub [] FilesServer[] T : Files; __FARCALL FilesRequest => FilesResponse where []
        [for < 'w > String : __farcall::Wire < 'w >, for < 'w > Bytes : __farcall::Wire <
        'w >, for < 'w > Result < Receipt, Fault > : __farcall::WireResult < 'w >]
    }
    impl<T: Files> __farcall::Handler for FilesServer<T>
    where
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Bytes: __farcall::Wire<'w>,
        for<'w> Result<Receipt, Fault>: __farcall::WireResult<'w>,
    {
        type Request<'a> = FilesRequest;
        type Response = FilesResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                FilesRequest::Upload { name } => {
                    let incoming = streams.incoming();
                    FilesResponse::Upload(
                        <T as Files>::upload(&self.0, name, incoming).await,
                    )
                }
            }
        }
    }
    __farcall::client! {
        pub [] FilesClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> FilesClient<S>
    where
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Bytes: __farcall::Wire<'w>,
        for<'w> Result<Receipt, Fault>: __farcall::WireResult<'w>,
    {
        ///Calls `upload`.
        pub fn upload<
            St: __farcall::Stream<Item = Bytes> + ::core::marker::Send + 'static,
        >(
            &self,
            name: String,
            parts: St,
        ) -> __farcall::Call<
            __farcall::Fallible<Result<Receipt, Fault>>,
            impl __farcall::Start + use<S, St>,
        > {
            self.0
                .call_with_items(
                    &__FARCALL_upload,
                    self.0.request(&FilesRequest::Upload { name }),
                    __farcall::Own(parts),
                )
        }
    }
    impl<S: __farcall::Service> Files for FilesClient<S>
    where
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Bytes: __farcall::Wire<'w>,
        for<'w> Result<Receipt, Fault>: __farcall::Wire<'w>,
        for<'w> Fault: __farcall::FromError<'w>,
    {
        async fn upload(
            &self,
            name: String,
            parts: Streaming<Bytes>,
        ) -> Result<Receipt, Fault> {
            __farcall::FromCall::from_call(
                self
                    .0
                    .call_with_items::<
                        __farcall::Fallible<Result<Receipt, Fault>>,
                        _,
                    >(
                        &__FARCALL_upload,
                        self.0.request(&FilesRequest::Upload { name }),
                        parts,
                    )
                    .await,
            )
        }
    }
    __farcall::travels::<String>();
    __farcall::travels::<Bytes>();
    __farcall::travels::<Receipt>();
    __farcall::travels::<Fault>();
    __farcall::is_result::<Result<Receipt, Fault>>();
};
