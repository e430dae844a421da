//! A call that tells how long the server took.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{Call, Start};
use crate::reply::Reply;
use crate::{Request, ServerTimes};

impl<R, A: Start> Call<R, A> {
    /// Gives how long the server took too, which is asked of it: the rest of the time that the call took is the network's, and this side's.
    ///
    /// None where the server does not say, or where there is none: with a service in this process.
    ///
    /// ```
    /// # use rpc_core::{Call, Error, Reply, Start};
    /// # async fn example<R: Reply<Error = Error>>(call: Call<R, impl Start>) -> Result<(), Error> {
    /// let (value, times) = call.with_server_times().await?;
    /// if let Some(times) = times {
    ///     println!("the handler took {:?}, and started after {:?}", times.handler(), times.queue());
    /// }
    /// # drop(value);
    /// # Ok(()) }
    /// ```
    pub fn with_server_times(self) -> WithServerTimes<R, A> {
        WithServerTimes { call: self.with_request(Request::ask_server_times) }
    }
}

pin_project! {
    /// The call that [`Call::with_server_times`] makes: it gives the result and how long the server took.
    #[must_use = "a call does nothing unless it is awaited"]
    pub struct WithServerTimes<R, A: Start> {
        #[pin]
        call: Call<R, A>,
    }
}

impl<R: Reply, A: Start> Future for WithServerTimes<R, A> {
    type Output = Result<(R::Value, Option<ServerTimes>), R::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.project().call;
        let method = call.method;
        let mut response = ready!(call.poll_response(cx))?;
        let times = response.server_times();
        Poll::Ready(R::read(&mut response, method).map(|value| (value, times)))
    }
}

impl<R, A: Start> fmt::Debug for WithServerTimes<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}
