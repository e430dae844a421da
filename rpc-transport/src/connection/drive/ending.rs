//! What is left to do on a link once its connection has ended.

use std::io;

use bytes::Buf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Driver, stalled};

impl Driver {
    /// Writes what is left of a connection that has ended, as far as the peer takes it.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        loop {
            while self.output.has_remaining() {
                let write = timeout(self.write_timeout, self.stream.write_buf(&mut self.output));
                if write.await.map_err(|_| stalled(self.write_timeout))?? == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
            }
            self.take();
            if !self.output.has_remaining() {
                return self.stream.shutdown().await;
            }
        }
    }

    /// Reads what the peer still sends, until it has seen the end: for bytes that nobody reads, the system would drop what was just written.
    pub(crate) async fn linger(&mut self) {
        let mut rest = [0; 1024];
        while self.stream.read(&mut rest).await.is_ok_and(|bytes| bytes > 0) {}
    }
}
