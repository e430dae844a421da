//! The task that writes: all that has gathered, in one write.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Buf;
use rpc_core::connection::Transmit;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::Shared;

type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Writes until the connection ends, and then what is left.
pub(crate) async fn write_loop(shared: Arc<Shared>, mut writer: Writer, timeout: Duration) {
    let mut transmit = Transmit::new();
    loop {
        poll_fn(|cx| shared.with(|machine| machine.poll_unsent(cx))).await;
        // All callers that are ready now add their frames before the buffer is taken: one write serves them all.
        yield_now().await;
        let is_last = take(&shared, &mut transmit);
        if let Err(error) = write(&mut writer, &mut transmit, timeout).await {
            return shared.lost(&format!("the connection broke: {error}"));
        }
        shared.written.notify_waiters();
        if is_last {
            // Where that fails, nobody is left to be told.
            let _ = writer.shutdown().await;
            return;
        }
    }
}

/// Lets the tasks that are ready go first.
///
/// Not tokio's: that parks the task with the worker thread, where it would wait for a handler that blocks the thread. A task that wakes itself goes
/// to the end of the queue, from which other threads take it.
async fn yield_now() {
    let mut is_first = true;
    poll_fn(|cx| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Writes what there is, for a connection that has no tasks yet.
pub(crate) async fn flush(shared: &Shared, writer: &mut Writer) -> io::Result<()> {
    let mut transmit = Transmit::new();
    take(shared, &mut transmit);
    writer.write_all_buf(&mut transmit).await?;
    writer.flush().await
}

/// Takes what there is, and tells whether it is the last.
fn take(shared: &Shared, transmit: &mut Transmit) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    shared.with(|machine| {
        let _ = machine.poll_transmit(&mut cx, transmit);
        machine.is_closed()
    })
}

async fn write(writer: &mut Writer, transmit: &mut Transmit, timeout: Duration) -> io::Result<()> {
    while transmit.has_remaining() {
        let written = tokio::time::timeout(timeout, writer.write_buf(transmit)).await.map_err(|_| {
            io::Error::new(io::ErrorKind::TimedOut, format!("the peer has taken nothing for {timeout:?}"))
        })??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    writer.flush().await
}
