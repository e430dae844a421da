#[allow(clippy::manual_async_fn)]
pub trait Maths: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn add_all(
        &self,
        all: Vec<i64>,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send;
    fn note(
        &self,
        text: String,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
///Calls a [`Maths`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct MathsClient<S = other::farcall::__private::Channel>(
    other::farcall::__private::Client<MathsRequest, S>,
);
///Serves a [`Maths`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type MathsServer<T> = other::farcall::__private::Dispatcher<MathsRequest, T>;
///The requests of [`Maths`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum MathsRequest {
    AddAll { all: Vec<i64> },
    Note { text: String },
}
///The responses of [`Maths`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum MathsResponse {
    AddAll(i64),
    Note(()),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use other::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
            "maths",
            &[&__FARCALL_add_all, &__FARCALL_note],
        )
        .with_version("2");
    static __FARCALL_add_all: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "maths",
            "addAll",
        )
        .with_args(&["all"], &["Vec<i64>"])
        .with_output("i64")
        .with_idempotent()
        .with_timeout(::core::time::Duration::new(1u64, 500000000u32));
    const __FARCALL_ID_add_all: __farcall::MethodId = __FARCALL_add_all.id();
    static __FARCALL_note: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "maths",
            "noted",
        )
        .with_id(7u64)
        .with_args(&["text"], &["String"])
        .with_oneway();
    const __FARCALL_ID_note: __farcall::MethodId = __FARCALL_note.id();
    impl<'de> __farcall::Message<'de> for MathsRequest
    where
        for<'w> Vec<i64>: __farcall::Wire<'w>,
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::AddAll { ref all } => encoder.args(&__FARCALL_add_all, (all,)),
                Self::Note { ref text } => encoder.args(&__FARCALL_note, (text,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_add_all => {
                    decoder.args(&__FARCALL_add_all, |(all,)| Self::AddAll { all })
                }
                __FARCALL_ID_note => {
                    decoder.args(&__FARCALL_note, |(text,)| Self::Note { text })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] MathsRequest where [] [Vec < i64 >, String] AddAll { all } Note { text }
    );
    impl<'de> __farcall::Message<'de> for MathsResponse
    where
        for<'w> i64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::AddAll(ref output) => encoder.output(&__FARCALL_add_all, output),
                Self::Note(ref output) => encoder.output(&__FARCALL_note, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_add_all => decoder.output(Self::AddAll),
                __FARCALL_ID_note => decoder.output(Self::Note),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] MathsResponse where [] [i64] AddAll(output) Note(output));
    impl<T: Maths> __farcall::Dispatch<T> for MathsRequest
    where
        for<'w> Vec<i64>: __farcall::Wire<'w>,
        for<'w> i64: __farcall::Wire<'w>,
        for<'w> String: __farcall::Wire<'w>,
    {
        type Request<'a> = MathsRequest;
        type Response = MathsResponse;
        async fn run(
            handler: &T,
            request: MathsRequest,
            streams: &mut __farcall::Streams,
        ) -> MathsResponse {
            match request {
                MathsRequest::AddAll { all } => {
                    MathsResponse::AddAll(<T as Maths>::add_all(handler, all).await)
                }
                MathsRequest::Note { text } => {
                    MathsResponse::Note(<T as Maths>::note(handler, text).await)
                }
            }
        }
    }
    __farcall::client!(pub [] MathsClient[] S where []);
    impl<S: __farcall::Service> MathsClient<S>
    where
        for<'w> MathsRequest: __farcall::Message<'w>,
    {
        ///Calls `add_all`.
        pub fn add_all(
            &self,
            all: Vec<i64>,
        ) -> __farcall::Call<__farcall::Plain<i64>, impl __farcall::Start + use<S>> {
            self.0
                .call(&__FARCALL_add_all, self.0.request(&MathsRequest::AddAll { all }))
        }
        ///Calls `note`.
        pub fn note(
            &self,
            text: String,
        ) -> __farcall::Call<__farcall::Nothing, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_note, self.0.request(&MathsRequest::Note { text }))
        }
    }
    __farcall::travels::<Vec<i64>>();
    __farcall::travels::<i64>();
    __farcall::travels::<String>();
};
