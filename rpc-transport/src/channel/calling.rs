//! A call of a channel, as a future.
//!
//! Most calls find a connection, and a slot on it, and are one message there and one back. They go their way here, in a future that is small:
//! it is part of the future of whoever calls, and moved about with that. What has more to wait for goes on in a future of its own.

use std::borrow::Borrow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rpc_core::connection::OpenError;
use rpc_core::{Error, Request, Response};

use super::Channel;
use crate::call::{self, Awaited, Called, Chosen};
use crate::waits::Waits;

/// A call of a channel that is borrowed, or held by the call.
pub(super) struct ChannelCall<C> {
    channel: C,
    /// None once it goes on elsewhere, or is over.
    request: Option<Request>,
    stage: Stage,
}

enum Stage {
    New,
    /// It is on its way, or over.
    Opened(Awaited),
    /// It has more to wait for.
    Long(Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>),
}

impl<C: Borrow<Channel>> ChannelCall<C> {
    pub(super) fn new(channel: C, request: Request) -> Self {
        Self { channel, request: Some(request), stage: Stage::New }
    }

    /// Sends the request, where nothing stands in the way of that.
    fn begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response, Error>> {
        let inner = &self.channel.borrow().inner;
        let (Some(connection), Some(request)) = (inner.choose(), &self.request) else {
            return self.go_on(None, 0, cx);
        };
        if !call::is_plain(request) {
            let chosen = Chosen::new(connection, request);
            return self.go_on(Some(chosen), 0, cx);
        }
        match call::begin(connection, request, &inner.options.calling, cx) {
            Ok(awaited) => {
                // It watches already.
                self.stage = Stage::Opened(awaited);
                Poll::Pending
            }
            Err((OpenError::Full, chosen)) => self.go_on(Some(chosen), 0, cx),
            Err((OpenError::Failed(error), chosen)) => {
                self.request = None;
                Poll::Ready(Err(call::in_vain(&chosen, error, &Waits::default())))
            }
            Err(_) => self.go_on(None, 1, cx),
        }
    }

    /// Goes on in a future of its own.
    #[expect(
        clippy::expect_used,
        reason = "the request is there until the call is over or goes on elsewhere, after which this is not reached: a future that is polled on \
                  after it was ready panics, as that of an `async fn` does"
    )]
    fn go_on(
        &mut self,
        chosen: Option<Chosen>,
        ended: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response, Error>> {
        let request = self.request.take().expect("a call is polled no more once it is over");
        let mut long = Box::pin(self.channel.borrow().inner.clone().call(request, chosen, ended));
        let poll = long.as_mut().poll(cx);
        self.stage = Stage::Long(long);
        poll
    }
}

impl<C: Borrow<Channel> + Unpin> Future for ChannelCall<C> {
    type Output = Result<Response, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match (&mut this.stage, &this.request) {
            (Stage::Opened(awaited), Some(request)) => {
                let called = match ready!(awaited.poll(request, cx)) {
                    Ok(Called::Answered(response)) => Ok(response),
                    // The connection has ended, or its server drains. The handler did not run, so another connection takes the call.
                    Ok(_) => return this.go_on(None, 1, cx),
                    Err(error) => Err(error),
                };
                this.request = None;
                Poll::Ready(called)
            }
            (Stage::Long(long), _) => long.as_mut().poll(cx),
            _ => this.begin(cx),
        }
    }
}
