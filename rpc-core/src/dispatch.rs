//! The server's half of generated code: decode the request, run the handler, encode what it returns.

mod generator;

use std::any;
use std::borrow::Borrow;
use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::reply::Plain;
use crate::service::BoxFuture;
use crate::{
    Body, Code, CodecKind, Context, Error, ErrorKind, ItemStream, Message, MethodDescriptor, Request,
    Response, Service, ServiceDescriptor, Status, Streaming, message,
};
use generator::{Generator, Sender};

/// Runs requests on handlers of the type `T`: what `#[service]` generates for a server.
///
/// Implemented by the enum of requests, for whatever implements the trait.
pub trait Dispatch<T: Send + Sync + 'static>: 'static {
    /// The enum of requests, which may borrow from the bytes that it was decoded from.
    type Request<'a>: Message<'a> + Send;
    /// The enum of responses.
    type Response: for<'a> Message<'a> + Send;

    /// Calls the method that the request names.
    fn run<'a>(
        handler: &'a T,
        request: Self::Request<'a>,
        streams: &mut Streams,
    ) -> impl Future<Output = Self::Response> + Send;
}

/// A service that describes itself: every generated server does.
pub trait Handler: Service {
    /// Returns the service's description.
    fn descriptor() -> &'static ServiceDescriptor;
}

/// Serves a handler of the type `T` to clients elsewhere, `M` being the enum of its requests; cloning costs a reference count.
///
/// Every generated server is one: for a trait `Greeter`, `GreeterServer<T>` is a short name for `Dispatcher<GreeterRequest, T>`.
pub struct Dispatcher<M, T> {
    handler: Arc<T>,
    requests: PhantomData<fn() -> M>,
}

impl<M, T> Dispatcher<M, T> {
    /// Makes a server of a handler.
    pub fn new(handler: T) -> Self {
        Self::from_arc(Arc::new(handler))
    }

    /// Makes a server of a handler that others hold, too.
    pub fn from_arc(handler: Arc<T>) -> Self {
        Self { handler, requests: PhantomData }
    }
}

impl<M: Message<'static>, T> Dispatcher<M, T> {
    /// Describes the service.
    pub const DESCRIPTOR: &'static ServiceDescriptor = M::SERVICE;
}

impl<M: Dispatch<T>, T: Send + Sync + 'static> Dispatcher<M, T> {
    /// Runs a request on the handler here, without encoding anything: to replay what was recorded, say.
    ///
    /// No streams go along: an argument `Streaming` fails at its first item, and a stream that is returned is dropped.
    pub async fn run<'a>(&'a self, request: M::Request<'a>) -> M::Response {
        M::run(&self.handler, request, &mut Streams::none()).await
    }
}

impl<M: Dispatch<T>, T: Send + Sync + 'static> Service for Dispatcher<M, T> {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        answer(self, request)
    }

    fn call_owned(
        self: Arc<Self>,
        request: Request,
    ) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        answer(self, request)
    }
}

impl<M: Dispatch<T>, T: Send + Sync + 'static> Handler for Dispatcher<M, T> {
    fn descriptor() -> &'static ServiceDescriptor {
        <M::Response as Message<'_>>::SERVICE
    }
}

impl<M, T> Clone for Dispatcher<M, T> {
    fn clone(&self) -> Self {
        Self::from_arc(self.handler.clone())
    }
}

impl<M, T> fmt::Debug for Dispatcher<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("requests", &any::type_name::<M>()).finish_non_exhaustive()
    }
}

/// Answers a request, with a dispatcher that is borrowed or held by the future.
// Not an `async fn`, which would hold its arguments twice: a call's future is moved into memory of its own.
fn answer<M, T, D>(
    dispatcher: D,
    mut request: Request,
) -> impl Future<Output = Result<Response, Error>> + Send
where
    M: Dispatch<T>,
    T: Send + Sync + 'static,
    D: Borrow<Dispatcher<M, T>> + Send,
{
    let method = match method_of(&request, Dispatcher::<M, T>::descriptor()) {
        Err(error) => return Answering::Failed { error: ready(Err(error)) },
        Ok(method) => method,
    };
    request.set_descriptor(method);
    let context = Context::of(&mut request);
    let call = Incoming { method, request };
    if method.kind().streams_response() {
        let handler = dispatcher.borrow().handler.clone();
        return Answering::Streams { future: Box::pin(answer_stream::<M, T>(handler, context, call)) };
    }
    Answering::One { future: context.answer(answer_one::<M, T, D>(dispatcher, call)) }
}

/// Finds the method that a request asks for, as it asks for it.
fn method_of(request: &Request, service: &ServiceDescriptor) -> Result<&'static MethodDescriptor, Error> {
    let method = request
        .descriptor()
        .or_else(|| service.method(request.method()))
        .ok_or_else(|| unknown_method(request, service.name()))?;
    if request.body().has_items() != method.kind().streams_request() {
        return Err(wrong_shape(method).into());
    }
    Ok(method)
}

pin_project! {
    /// A call that is answered.
    #[project = AnsweringProject]
    enum Answering<'d, F> {
        One { #[pin] future: F },
        Streams { future: BoxFuture<'d> },
        Failed { error: Ready<Result<Response, Error>> },
    }
}

impl<F: Future<Output = Result<Response, Error>>> Future for Answering<'_, F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringProject::One { future } => future.poll(cx),
            AnsweringProject::Streams { future } => future.as_mut().poll(cx),
            AnsweringProject::Failed { error } => Pin::new(error).poll(cx),
        }
    }
}

/// A call whose method is known; its context was taken out.
struct Incoming {
    method: &'static MethodDescriptor,
    request: Request,
}

impl Incoming {
    fn codec(&self) -> CodecKind {
        self.request.codec()
    }

    fn decode<'a, M: Message<'a>>(&'a self) -> Result<M, Error> {
        message::decode(self.codec(), self.method.id(), self.request.body().message()).map_err(|error| {
            let cause =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            let text = format!(
                "the arguments of {} cannot be decoded: {cause}; compare the two sides' versions",
                self.method
            );
            Status::new(Code::InvalidArgument, text).into()
        })
    }
}

#[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice, see `answer`")]
fn answer_one<M, T, D>(
    dispatcher: D,
    mut call: Incoming,
) -> impl Future<Output = Result<Response, Error>> + Send
where
    M: Dispatch<T>,
    T: Send + Sync + 'static,
    D: Borrow<Dispatcher<M, T>> + Send,
{
    async move {
        let mut streams = Streams::of(&mut call, None);
        let request = call.decode()?;
        let response = M::run(&dispatcher.borrow().handler, request, &mut streams).await;
        let body = encode_response(call.codec(), call.method, &response)?;
        Ok(Response::new(call.codec(), body)
            .with_failed(response.is_failed())
            .with_metadata(Context::take_response_metadata()))
    }
}

/// The handler's stream borrows from the handler, so both live in one future, and that future feeds the response's body.
async fn answer_stream<M, T>(handler: Arc<T>, context: Context, mut call: Incoming) -> Result<Response, Error>
where
    M: Dispatch<T>,
    T: Send + Sync + 'static,
{
    let codec = call.codec();
    let generator = Generator::new(|sender| {
        context.answer(async move {
            let failing = sender.clone();
            let mut streams = Streams::of(&mut call, Some(sender));
            let request = match call.decode() {
                Ok(request) => request,
                Err(error) => return failing.fail(error),
            };
            let response = M::run(&handler, request, &mut streams).await;
            // A handler that failed has sent no head yet; its error is the whole answer.
            if streams.sender.is_some() {
                match encode_response(codec, call.method, &response) {
                    Ok(head) => {
                        let (head, _) = head.into_parts();
                        failing.head(head, Context::take_response_metadata(), response.is_failed());
                    }
                    Err(error) => failing.fail(error),
                }
            }
        })
    });
    let (head, items) = generator.start().await?;
    let body = Body::new(head.message);
    let body = match items {
        Some(items) => body.with_items(items),
        None => body,
    };
    Ok(Response::new(codec, body).with_failed(head.failed).with_metadata(head.metadata))
}

fn encode_response<'a, M: Message<'a>>(
    codec: CodecKind,
    method: &MethodDescriptor,
    response: &M,
) -> Result<Body, Error> {
    message::encode(codec, response).map_err(|error| internal(method, codec, &error))
}

fn internal(method: impl fmt::Display, codec: CodecKind, error: &Error) -> Error {
    // What the value's own code says of it may not be for others, so it stays in the log.
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::error!(%method, %error, cause, "a result could not be encoded");
    let text =
        format!("the result of {method} could not be encoded as {}; see the server's log", codec.name());
    Status::new(Code::Internal, text).into()
}

fn unknown_method(request: &Request, service: &str) -> Error {
    let text = format!("{service} has no {}: compare the two sides' versions", request.method_name());
    Status::new(Code::Unimplemented, text).into()
}

fn wrong_shape(method: &MethodDescriptor) -> Status {
    let text = format!(
        "{method} is {:?} here and was called as another kind: compare the two sides' versions",
        method.kind()
    );
    Status::new(Code::Unimplemented, text)
}

/// The streams of the call that a generated server is answering.
pub struct Streams {
    codec: CodecKind,
    method: Option<&'static MethodDescriptor>,
    /// What follows the arguments.
    items: Option<ItemStream>,
    sender: Option<Sender>,
}

impl Streams {
    /// Makes the streams of a call that has none, as running a recorded request needs.
    pub fn none() -> Self {
        Self { codec: CodecKind::default(), method: None, items: None, sender: None }
    }

    fn of(call: &mut Incoming, sender: Option<Sender>) -> Self {
        let (codec, method) = (call.codec(), Some(call.method));
        Self { codec, method, items: call.request.take_items(), sender }
    }

    /// Returns the stream that the caller sends; one that fails at once where the call has none.
    pub fn incoming<T: DeserializeOwned + Send + 'static>(&mut self) -> Streaming<T> {
        match (self.items.take(), self.method) {
            (Some(items), Some(method)) => Streaming::decoding::<Plain<T>>(items, self.codec, method),
            _ => Streaming::new(generator::once(Err(Error::new(
                ErrorKind::Config,
                "this request was run without its stream",
            )))),
        }
    }

    /// Sends a stream to its end.
    pub async fn send<T: Serialize>(&mut self, stream: impl Stream<Item = T> + Send) {
        let Some(sender) = self.sender.take() else { return };
        match self.codec.encode(&()) {
            Ok(head) => sender.head(head, Context::take_response_metadata(), false),
            Err(error) => return sender.fail(error),
        }
        sender.items(stream, self.codec).await;
    }

    /// Sends a stream to its end, or leaves it to the caller to send the error.
    ///
    /// # Errors
    /// The handler's own error.
    pub async fn send_result<T, E>(
        &mut self,
        result: Result<impl Stream<Item = T> + Send, E>,
    ) -> Result<(), E>
    where
        T: Serialize,
        E: Serialize,
    {
        let stream = result?;
        let Some(sender) = self.sender.take() else { return Ok(()) };
        match self.codec.encode(&Ok::<(), ()>(())) {
            Ok(head) => sender.head(head, Context::take_response_metadata(), false),
            Err(error) => {
                sender.fail(error);
                return Ok(());
            }
        }
        sender.items(stream, self.codec).await;
        Ok(())
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}
