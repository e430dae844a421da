#[allow(clippy::manual_async_fn)]
pub trait Clock: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn ticks(&self, every: Duration) -> impl Stream<Item = Tick> + Send;
    fn later(
        &self,
    ) -> impl ::core::future::Future<
        Output = impl Stream<Item = Result<Tick, Fault>> + Send,
    > + ::core::marker::Send;
    fn watch(
        &self,
    ) -> impl ::core::future::Future<
        Output = Result<impl Stream<Item = Result<Tick, Fault>> + Send, Fault>,
    > + ::core::marker::Send;
}
///Calls a [`Clock`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct ClockClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<ClockRequest, S>,
);
///Serves a [`Clock`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type ClockServer<T> = ::farcall::__private::Dispatcher<ClockRequest, T>;
///The requests of [`Clock`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum ClockRequest {
    Ticks { every: Duration },
    Later,
    Watch,
}
///The responses of [`Clock`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum ClockResponse {
    Ticks(()),
    Later(()),
    Watch(Result<(), Fault>),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Clock",
        &[&__FARCALL_ticks, &__FARCALL_later, &__FARCALL_watch],
    );
    static __FARCALL_ticks: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Clock",
            "ticks",
        )
        .with_kind(__farcall::MethodKind::ServerStreaming)
        .with_args(&["every"], &["Duration"])
        .with_output("impl Stream<Item = Tick> + Send");
    const __FARCALL_ID_ticks: __farcall::MethodId = __FARCALL_ticks.id();
    static __FARCALL_later: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Clock",
            "later",
        )
        .with_kind(__farcall::MethodKind::ServerStreaming)
        .with_output("impl Stream<Item = Result<Tick, Fault>> + Send");
    const __FARCALL_ID_later: __farcall::MethodId = __FARCALL_later.id();
    static __FARCALL_watch: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Clock",
            "watch",
        )
        .with_kind(__farcall::MethodKind::ServerStreaming)
        .with_output("Result<impl Stream<Item = Result<Tick, Fault>> + Send, Fault>");
    const __FARCALL_ID_watch: __farcall::MethodId = __FARCALL_watch.id();
    impl<'de> __farcall::Message<'de> for ClockRequest
    where
        for<'w> Duration: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Ticks { ref every } => encoder.args(&__FARCALL_ticks, (every,)),
                Self::Later {} => encoder.args(&__FARCALL_later, ()),
                Self::Watch {} => encoder.args(&__FARCALL_watch, ()),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_ticks => {
                    decoder.args(&__FARCALL_ticks, |(every,)| Self::Ticks { every })
                }
                __FARCALL_ID_later => decoder.args(&__FARCALL_later, |()| Self::Later {}),
                __FARCALL_ID_watch => decoder.args(&__FARCALL_watch, |()| Self::Watch {}),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] ClockRequest where [] [Duration] Ticks { every } Later {} Watch {}
    );
    impl<'de> __farcall::Message<'de> for ClockResponse
    where
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Ticks(ref output) => encoder.output(&__FARCALL_ticks, output),
                Self::Later(ref output) => encoder.output(&__FARCALL_later, output),
                Self::Watch(ref output) => encoder.result(&__FARCALL_watch, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_ticks => decoder.output(Self::Ticks),
                __FARCALL_ID_later => decoder.output(Self::Later),
                __FARCALL_ID_watch => decoder.output(Self::Watch),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] ClockResponse where [] [Result < (), Fault >] Ticks(output) Later(output)
        Watch(output)
    );
    impl<T: Clock> __farcall::Dispatch<T> for ClockRequest
    where
        for<'w> Duration: __farcall::Wire<'w>,
        for<'w> Tick: __farcall::Wire<'w>,
        for<'w> Result<Tick, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        type Request<'a> = ClockRequest;
        type Response = ClockResponse;
        async fn run(
            handler: &T,
            request: ClockRequest,
            streams: &mut __farcall::Streams,
        ) -> ClockResponse {
            match request {
                ClockRequest::Ticks { every } => {
                    ClockResponse::Ticks(
                        streams.send(<T as Clock>::ticks(handler, every)).await,
                    )
                }
                ClockRequest::Later {} => {
                    ClockResponse::Later(
                        streams.send(<T as Clock>::later(handler).await).await,
                    )
                }
                ClockRequest::Watch {} => {
                    ClockResponse::Watch(
                        streams.send_result(<T as Clock>::watch(handler).await).await,
                    )
                }
            }
        }
    }
    __farcall::client!(pub [] ClockClient[] S where []);
    impl<S: __farcall::Service> ClockClient<S>
    where
        for<'w> ClockRequest: __farcall::Message<'w>,
    {
        ///Calls `ticks`.
        pub fn ticks(
            &self,
            every: Duration,
        ) -> __farcall::Call<
            __farcall::Items<__farcall::Plain<Tick>>,
            impl __farcall::Start + use<S>,
        > {
            self.0.call(&__FARCALL_ticks, self.0.request(&ClockRequest::Ticks { every }))
        }
        ///Calls `later`.
        pub fn later(
            &self,
        ) -> __farcall::Call<
            __farcall::Items<__farcall::Fallible<Result<Tick, Fault>>>,
            impl __farcall::Start + use<S>,
        > {
            self.0.call(&__FARCALL_later, self.0.request(&ClockRequest::Later {}))
        }
        ///Calls `watch`.
        pub fn watch(
            &self,
        ) -> __farcall::Call<
            __farcall::FallibleItems<
                __farcall::Fallible<Result<Tick, Fault>>,
                Result<(), Fault>,
            >,
            impl __farcall::Start + use<S>,
        > {
            self.0.call(&__FARCALL_watch, self.0.request(&ClockRequest::Watch {}))
        }
    }
    __farcall::travels::<Duration>();
    __farcall::travels::<Tick>();
    __farcall::travels::<Fault>();
    __farcall::is_result::<Result<Tick, Fault>>();
    __farcall::is_result::<Result<(), Fault>>();
};
