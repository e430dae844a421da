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
    ::farcall::__private::Client<FilesRequest, S>,
);
///Serves a [`Files`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type FilesServer<T> = ::farcall::__private::Dispatcher<FilesRequest, T>;
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
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Upload { ref name } => encoder.args(&__FARCALL_upload, (name,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_upload => {
                    decoder.args(&__FARCALL_upload, |(name,)| Self::Upload { name })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] FilesRequest where [] [String] Upload { name });
    impl<'de> __farcall::Message<'de> for FilesResponse
    where
        for<'w> Result<Receipt, Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Upload(ref output) => encoder.result(&__FARCALL_upload, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_upload => decoder.output(Self::Upload),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] FilesResponse where [] [Result < Receipt, Fault >] Upload(output)
    );
    impl<T: Files> __farcall::Dispatch<T> for FilesRequest
    where
        for<'w> String: __farcall::Wire<'w>,
        for<'w> Bytes: __farcall::Wire<'w>,
        for<'w> Result<Receipt, Fault>: __farcall::WireResult<'w>,
    {
        type Request<'a> = FilesRequest;
        type Response = FilesResponse;
        async fn run(
            handler: &T,
            request: FilesRequest,
            streams: &mut __farcall::Streams,
        ) -> FilesResponse {
            match request {
                FilesRequest::Upload { name } => {
                    let incoming = streams.incoming();
                    FilesResponse::Upload(
                        <T as Files>::upload(handler, name, incoming).await,
                    )
                }
            }
        }
    }
    __farcall::client!(pub [] FilesClient[] S where []);
    impl<S: __farcall::Service> FilesClient<S>
    where
        for<'w> FilesRequest: __farcall::Message<'w>,
        for<'w> Bytes: __farcall::Wire<'w>,
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
