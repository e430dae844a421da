//! The server's half of generated code: decode the request, run the handler, encode what it returns.

mod generator;

use bytes::Bytes;
use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::reply::Plain;
use crate::{
    Body, Code, CodecKind, Context, Error, ErrorKind, ItemStream, Message, MethodDescriptor, Request,
    Response, Service, ServiceDescriptor, Status, Streaming, message,
};
use generator::{Generator, Sender};

/// What `#[service]` generates for a server: it runs a request's variant on the handler and gives a response's.
///
/// Implemented by generated servers; [`serve`] makes a [`Service`] of it.
pub trait Handler: Service + Clone {
    /// The enum of requests, which may borrow from the bytes that it was decoded from.
    type Request<'a>: Message<'a> + Send;
    /// The enum of responses.
    type Response: for<'a> Message<'a> + Send;

    /// Runs the handler.
    fn handle<'a>(
        &'a self,
        request: Self::Request<'a>,
        streams: &'a mut Streams,
    ) -> impl Future<Output = Self::Response> + Send;

    /// Returns the service's description.
    fn descriptor() -> &'static ServiceDescriptor {
        <Self::Response as Message<'_>>::SERVICE
    }
}

/// Answers a call with a generated handler.
///
/// # Errors
/// A [`Status`]: the service has no such method, the arguments cannot be decoded, the result cannot be encoded.
pub async fn serve<H: Handler>(handler: &H, mut request: Request) -> Result<Response, Error> {
    let method = request
        .descriptor()
        .or_else(|| H::descriptor().method(request.method()))
        .ok_or_else(|| unknown_method(&request, H::descriptor().name()))?;
    let codec = request.codec();
    let (message, items) = request.take_body().into_parts();
    if items.is_some() != method.kind().streams_request() {
        return Err(wrong_shape(method).into());
    }
    request.set_descriptor(method);
    let context = Context::of(&mut request);
    let call = Incoming { method, codec, message, items };
    if method.kind().streams_response() {
        serve_stream(handler.clone(), context, call).await
    } else {
        context.answer(serve_one(handler, call)).await
    }
}

struct Incoming {
    method: &'static MethodDescriptor,
    codec: CodecKind,
    message: Bytes,
    items: Option<ItemStream>,
}

impl Incoming {
    fn decode<'a, M: Message<'a>>(&'a self) -> Result<M, Error> {
        message::decode(self.codec, self.method.id(), &self.message).map_err(|error| {
            let cause =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            let text = format!("the arguments of {} cannot be decoded: {cause}", self.method);
            Status::new(Code::InvalidArgument, text).into()
        })
    }
}

async fn serve_one<H: Handler>(handler: &H, mut call: Incoming) -> Result<Response, Error> {
    let mut streams =
        Streams { codec: call.codec, method: Some(call.method), items: call.items.take(), sender: None };
    let response = handler.handle(call.decode()?, &mut streams).await;
    let body = Body::new(encode_response(call.codec, call.method, &response)?);
    Ok(Response::new(call.codec, body)
        .with_failed(response.is_failed())
        .with_metadata(Context::take_response_metadata()))
}

/// The handler's stream borrows from the handler, so both live in one future, and that future feeds the response's body.
async fn serve_stream<H: Handler>(
    handler: H,
    context: Context,
    mut call: Incoming,
) -> Result<Response, Error> {
    let codec = call.codec;
    let generator = Generator::new(|sender| {
        context.answer(async move {
            let failing = sender.clone();
            let mut streams =
                Streams { codec, method: Some(call.method), items: call.items.take(), sender: Some(sender) };
            let request = match call.decode() {
                Ok(request) => request,
                Err(error) => return failing.fail(error),
            };
            let response = handler.handle(request, &mut streams).await;
            // A handler that failed has sent no head yet; its error is the whole answer.
            if streams.sender.is_some() {
                match encode_response(codec, call.method, &response) {
                    Ok(head) => failing.head(head, Context::take_response_metadata(), response.is_failed()),
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
) -> Result<Bytes, Error> {
    message::encode(codec, response).map_err(|error| internal(method, &error))
}

fn internal(method: impl std::fmt::Display, error: &Error) -> Error {
    tracing::error!(%method, %error, "a result could not be encoded");
    Status::new(Code::Internal, format!("the result of {method} could not be encoded")).into()
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
    items: Option<ItemStream>,
    sender: Option<Sender>,
}

impl Streams {
    /// Makes the streams of a call that has none, as running a recorded request needs.
    pub fn none() -> Self {
        Self { codec: CodecKind::default(), method: None, items: None, sender: None }
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

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}
