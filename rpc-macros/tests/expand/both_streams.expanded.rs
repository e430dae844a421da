#[allow(clippy::manual_async_fn)]
pub trait Chat: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn chat(
        &self,
        room: Room,
        said: Streaming<Line>,
    ) -> impl ::core::future::Future<
        Output = Result<impl Stream<Item = Line> + Send, Fault>,
    > + ::core::marker::Send;
}
///Calls a [`Chat`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct ChatClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<S>,
);
///Serves a [`Chat`] to clients elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct ChatServer<T>(::std::sync::Arc<T>);
///The requests of [`Chat`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum ChatRequest {
    Chat { room: Room },
}
///The responses of [`Chat`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum ChatResponse {
    Chat(Result<(), Fault>),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Chat",
        &[&__FARCALL_chat],
    );
    static __FARCALL_chat: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Chat",
            "chat",
        )
        .with_kind(__farcall::MethodKind::Bidirectional)
        .with_args(&["room"], &["Room"])
        .with_output("Result<impl Stream<Item = Line> + Send, Fault>");
    const __FARCALL_ID_chat: __farcall::MethodId = __FARCALL_chat.id();
    impl<'de> __farcall::Message<'de> for ChatRequest
    where
        for<'w> Room: __farcall::Wire<'w>,
        for<'w> Line: __farcall::Wire<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Chat { .. } => &__FARCALL_chat,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Chat { ref room } => {
                    __farcall::encode_args(serializer, &__FARCALL_chat, (room,))
                }
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_chat => {
                    __farcall::decode_args(deserializer, &__FARCALL_chat)
                        .map(|(room,)| Self::Chat { room })
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] ChatRequest where [] [for < 'w > Room : __farcall::Wire < 'w >, for < 'w >
        Line : __farcall::Wire < 'w >, for < 'w > Result < (), Fault > :
        __farcall::WireResult < 'w >, for < 'w > Fault : __farcall::Wire < 'w >,] [Room]
        Chat { room : room }
    }
    impl<'de> __farcall::Message<'de> for ChatResponse
    where
        for<'w> Room: __farcall::Wire<'w>,
        for<'w> Line: __farcall::Wire<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn method(&self) -> &'static __farcall::MethodDescriptor {
            match *self {
                Self::Chat { .. } => &__FARCALL_chat,
            }
        }
        fn is_failed(&self) -> ::core::primitive::bool {
            match *self {
                Self::Chat(ref value) => __farcall::IsResult::is_failure(value),
                _ => false,
            }
        }
        fn encode<__S: __farcall::serde::Serializer>(
            &self,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            match *self {
                Self::Chat(ref value) => __farcall::encode_output(serializer, value),
            }
        }
        fn decode<__D: __farcall::serde::Deserializer<'de>>(
            method: __farcall::MethodId,
            deserializer: __D,
        ) -> ::core::result::Result<Self, __D::Error> {
            match method {
                __FARCALL_ID_chat => {
                    __farcall::decode_output(deserializer).map(Self::Chat)
                }
                _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
            }
        }
    }
    __farcall::message! {
        ['de,] ChatResponse where [] [for < 'w > Room : __farcall::Wire < 'w >, for < 'w
        > Line : __farcall::Wire < 'w >, for < 'w > Result < (), Fault > :
        __farcall::WireResult < 'w >, for < 'w > Fault : __farcall::Wire < 'w >,] [Result
        < (), Fault >] Chat { 0 : value }
    }
    __farcall::server! {
        pub [] ChatServer[] T : Chat; __FARCALL ChatRequest => ChatResponse where [] [for
        < 'w > Room : __farcall::Wire < 'w >, for < 'w > Line : __farcall::Wire < 'w >,
        for < 'w > Result < (), Fault > : __farcall::WireResult < 'w >, for < 'w > Fault
        : __farcall::Wire < 'w >]
    }
    impl<T: Chat> __farcall::Handler for ChatServer<T>
    where
        for<'w> Room: __farcall::Wire<'w>,
        for<'w> Line: __farcall::Wire<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        type Request<'a> = ChatRequest;
        type Response = ChatResponse;
        async fn handle<'a>(
            &'a self,
            request: Self::Request<'a>,
            streams: &'a mut __farcall::Streams,
        ) -> Self::Response {
            match request {
                ChatRequest::Chat { room } => {
                    let incoming = streams.incoming();
                    ChatResponse::Chat(
                        streams
                            .send_result(
                                <T as Chat>::chat(&self.0, room, incoming).await,
                            )
                            .await,
                    )
                }
            }
        }
    }
    __farcall::client! {
        pub [] ChatClient[] S; __FARCALL __farcall::Channel where []
    }
    impl<S: __farcall::Service> ChatClient<S>
    where
        for<'w> Room: __farcall::Wire<'w>,
        for<'w> Line: __farcall::Wire<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        ///Calls `chat`.
        pub fn chat<St: __farcall::Stream<Item = Line> + ::core::marker::Send + 'static>(
            &self,
            room: Room,
            said: St,
        ) -> __farcall::Call<
            __farcall::FallibleItems<__farcall::Plain<Line>, Fault>,
            impl __farcall::Start + use<S, St>,
        > {
            self.0
                .call_with_items(
                    &__FARCALL_chat,
                    self.0.request(&ChatRequest::Chat { room }),
                    __farcall::Own(said),
                )
        }
    }
    __farcall::travels::<Room>();
    __farcall::travels::<Line>();
    __farcall::travels::<Fault>();
    __farcall::is_result::<Result<(), Fault>>();
};
