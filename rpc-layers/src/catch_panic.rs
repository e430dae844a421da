//! Keeps a panic to its call, and tells somebody.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_core::Stream;
use rpc_core::{
    Code, Error, ItemBatch, ItemStream, Layer, MethodDescriptor, MethodId, Request, Response, Service, Status,
};
use std::sync::Arc;

/// Turns a panic in what it wraps into `INTERNAL`, and reports it to a function.
///
/// A server does the first by itself. This is for services that are called within the process, and for whoever wants to count panics, or
/// hear of them by method. The caller learns nothing of the panic's text.
///
/// ```
/// use rpc_layers::CatchPanic;
/// let layer = CatchPanic::new(|method, text| eprintln!("{method} panicked: {text}"));
/// # let _ = layer;
/// ```
#[derive(Clone)]
#[must_use]
pub struct CatchPanic {
    report: Report,
}

type Report = Arc<dyn Fn(&str, &str) + Send + Sync>;

impl CatchPanic {
    /// Reports the method, as `Service/method`, and the panic's text.
    pub fn new(report: impl Fn(&str, &str) + Send + Sync + 'static) -> Self {
        Self { report: Arc::new(report) }
    }
}

impl<S: Service> Layer<S> for CatchPanic {
    type Service = CatchPanicService<S>;

    fn layer(self, inner: S) -> Self::Service {
        CatchPanicService { inner, report: self.report }
    }
}

/// The service that [`CatchPanic`] makes.
///
/// # Errors
/// `INTERNAL` where the inner service panicked.
pub struct CatchPanicService<S> {
    inner: S,
    report: Report,
}

impl<S: Service> Service for CatchPanicService<S> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        request.find_descriptor(&self.inner);
        let method = Method { id: request.method(), descriptor: request.descriptor() };
        let caught = |panic| method.report(&self.report, panic);
        // The call is not polled again after a panic, so nobody sees what that has left half done.
        let mut call = pin!(match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(call) => call,
            Err(panic) => return Err(caught(panic)),
        });
        let poll = |cx: &mut Context<'_>| catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx)));
        let response = std::future::poll_fn(map(poll, caught)).await?;
        let report = self.report.clone();
        Ok(response.map_items(|items| ItemStream::of_batches(Caught { items: Some(items), method, report })))
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push("CatchPanic".to_owned());
        self.inner.describe(lines);
    }
}

type Panic = Box<dyn Any + Send>;

/// Makes one poll of a poll that may have panicked.
fn map<T>(
    mut poll: impl FnMut(&mut Context<'_>) -> Result<Poll<Result<T, Error>>, Panic>,
    caught: impl Fn(Panic) -> Error,
) -> impl FnMut(&mut Context<'_>) -> Poll<Result<T, Error>> {
    move |cx| match poll(cx) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Err(caught(panic))),
    }
}

#[derive(Clone, Copy)]
struct Method {
    id: MethodId,
    descriptor: Option<&'static MethodDescriptor>,
}

impl Method {
    #[expect(clippy::needless_pass_by_value, reason = "dropped here, where nobody else can panic on it")]
    fn report(self, report: &Report, panic: Panic) -> Error {
        let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => text,
            (_, Some(text)) => text.as_str(),
            _ => "a value that is no text",
        };
        let method = match self.descriptor {
            Some(descriptor) => descriptor.to_string(),
            None => format!("method {}", self.id),
        };
        report(&method, text);
        Status::new(Code::Internal, "the handler panicked; see the server's log").into()
    }
}

struct Caught {
    /// None once they are over.
    items: Option<ItemStream>,
    method: Method,
    report: Report,
}

impl Stream for Caught {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(items) = &mut self.items else { return Poll::Ready(None) };
        match catch_unwind(AssertUnwindSafe(|| items.poll_batch(cx))) {
            Ok(poll) => poll,
            Err(panic) => {
                let error = self.method.report(&self.report, panic);
                self.items = None;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

impl fmt::Debug for CatchPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CatchPanic")
    }
}

impl<S: fmt::Debug> fmt::Debug for CatchPanicService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchPanicService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
