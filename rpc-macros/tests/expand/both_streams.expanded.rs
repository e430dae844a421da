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
    ::farcall::__private::Client<ChatRequest, S>,
);
///Serves a [`Chat`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type ChatServer<T> = ::farcall::__private::Dispatcher<ChatRequest, T>;
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
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Chat { ref room } => encoder.args(&__FARCALL_chat, (room,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_chat => {
                    decoder.args(&__FARCALL_chat, |(room,)| Self::Chat { room })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] ChatRequest where [] [Room] Chat { room });
    impl<'de> __farcall::Message<'de> for ChatResponse
    where
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Chat(ref output) => encoder.result(&__FARCALL_chat, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_chat => decoder.output(Self::Chat),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] ChatResponse where [] [Result < (), Fault >] Chat(output)
    );
    impl<T: Chat> __farcall::Dispatch<T> for ChatRequest
    where
        for<'w> Room: __farcall::Wire<'w>,
        for<'w> Line: __farcall::Wire<'w>,
        for<'w> Result<(), Fault>: __farcall::WireResult<'w>,
        for<'w> Fault: __farcall::Wire<'w>,
    {
        type Request<'a> = ChatRequest;
        type Response = ChatResponse;
        async fn run(
            handler: &T,
            request: ChatRequest,
            streams: &mut __farcall::Streams,
        ) -> ChatResponse {
            match request {
                ChatRequest::Chat { room } => {
                    let incoming = streams.incoming();
                    ChatResponse::Chat(
                        streams
                            .send_result(
                                <T as Chat>::chat(handler, room, incoming).await,
                            )
                            .await,
                    )
                }
            }
        }
    }
    __farcall::client!(pub [] ChatClient[] S where []);
    impl<S: __farcall::Service> ChatClient<S>
    where
        for<'w> ChatRequest: __farcall::Message<'w>,
        for<'w> Line: __farcall::Wire<'w>,
    {
        ///Calls `chat`.
        pub fn chat<St: __farcall::Stream<Item = Line> + ::core::marker::Send + 'static>(
            &self,
            room: Room,
            said: St,
        ) -> __farcall::Call<
            __farcall::FallibleItems<__farcall::Plain<Line>, Result<(), Fault>>,
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
