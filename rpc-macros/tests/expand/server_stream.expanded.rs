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
    ::farcall::__private::Client<S>,
);
///Serves a [`Clock`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct ClockServer<T>(::std::sync::Arc<T>);
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
        for<'w> Tick: __farcall::Wire<'w>,
        for<'w> Result<Tick, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Ticks { .. } => &__FARCALL_ticks,
                Self::Later { .. } => &__FARCALL_later,
                Self::Watch { .. } => &__FARCALL_watch,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Ticks { ref every } => {
                    __farcall::encode_args(serializer, &__FARCALL_ticks, (every,))
                }
                Self::Later {} => {
                    __farcall::encode_args(serializer, &__FARCALL_later, ())
                }
                Self::Watch {} => {
                    __farcall::encode_args(serializer, &__FARCALL_watch, ())
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_ticks => {
                    __farcall::decode_args(deserializer, &__FARCALL_ticks)
                        .map(|(every,)| Self::Ticks { every })
                }
                __FARCALL_ID_later => {
                    __farcall::decode_args(deserializer, &__FARCALL_later)
                        .map(|()| Self::Later {})
                }
                __FARCALL_ID_watch => {
                    __farcall::decode_args(deserializer, &__FARCALL_watch)
                        .map(|()| Self::Watch {})
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] ClockRequest where [] [for < 'w > Duration : __farcall::Wire < 'w >, for <
        'w > Tick : __farcall::Wire < 'w >, for < 'w > Result < Tick, Fault > :
        __farcall::WireResult < 'w >, for < 'w > Result < (), Fault > :
        __farcall::WireResult < 'w >, for < 'w > Fault : __farcall::Wire < 'w >,]
        [Duration] Ticks { every : every } Later {} Watch {}
    }
    impl<'de> __farcall::Message<'de> for ClockResponse
    where
        for<'w> Duration: __farcall::Wire<'w>,
        for<'w> Tick: __farcall::Wire<'w>,
        for<'w> Result<Tick, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Ticks { .. } => &__FARCALL_ticks,
                Self::Later { .. } => &__FARCALL_later,
                Self::Watch { .. } => &__FARCALL_watch,
            }
        }
        fn is_failed(&self) -> ::core::primitive::bool {
            match *self {
                Self::Watch(ref value) => __farcall::IsResult::is_failure(value),
                _ => false,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Ticks(ref value) => __farcall::encode_output(serializer, value),
                Self::Later(ref value) => __farcall::encode_output(serializer, value),
                Self::Watch(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_ticks => {
                    __farcall::decode_output(deserializer).map(Self::Ticks)
                }
                __FARCALL_ID_later => {
                    __farcall::decode_output(deserializer).map(Self::Later)
                }
                __FARCALL_ID_watch => {
                    __farcall::decode_output(deserializer).map(Self::Watch)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] ClockResponse where [] [for < 'w > Duration : __farcall::Wire < 'w >, for
        < 'w > Tick : __farcall::Wire < 'w >, for < 'w > Result < Tick, Fault > :
        __farcall::WireResult < 'w >, for < 'w > Result < (), Fault > :
        __farcall::WireResult < 'w >, for < 'w > Fault : __farcall::Wire < 'w >,] [Result
        < (), Fault >] Ticks { 0 : value } Later { 0 : value } Watch { 0 : value }
    }
    __farcall::server! {
        pub [] ClockServer[] T : Clock; __FARCALL ClockRequest => ClockResponse where []
        [for < 'w > Duration : __farcall::Wire < 'w >, for < 'w > Tick : __farcall::Wire
        < 'w >, for < 'w > Result < Tick, Fault > : __farcall::WireResult < 'w >, for <
        'w > Result < (), Fault > : __farcall::WireResult < 'w >, for < 'w > Fault :
        __farcall::Wire < 'w >]
    }
    impl<T: Clock> __farcall::Handler for ClockServer<T>
    where
        for<'w> Duration: __farcall::Wire<'w>,
        for<'w> Tick: __farcall::Wire<'w>,
        for<'w> Result<Tick, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        type Request<'a> = ClockRequest;
        type Response = ClockResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                ClockRequest::Ticks { every } => {
                    ClockResponse::Ticks(
                        streams.send(<T as Clock>::ticks(&self.0, every)).await,
                    )
                }
                ClockRequest::Later {} => {
                    ClockResponse::Later(
                        streams.send(<T as Clock>::later(&self.0).await).await,
                    )
                }
                ClockRequest::Watch {} => {
                    ClockResponse::Watch(
                        streams.send_result(<T as Clock>::watch(&self.0).await).await,
                    )
                }
            }
        }
    }
    __farcall::client! {
        pub [] ClockClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> ClockClient<S>
    where
        for<'w> Duration: __farcall::Wire<'w>,
        for<'w> Tick: __farcall::Wire<'w>,
        for<'w> Result<Tick, Fault>: __farcall::WireResult<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
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
            __farcall::FallibleItems<__farcall::Fallible<Result<Tick, Fault>>, Fault>,
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
