//! The socket itself: length-prefixed messages over tokio's TCP, with nodelay, echoed without decoding.
//!
//! `raw` makes one write for each message. `raw-pipelined` writes all that is ready at once, on both sides: the limit. Neither has caller
//! tasks: one task keeps the calls in flight, and only counts what comes back. A message is held whole before it is answered.

mod frames;

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use self::frames::{Frames, HEADER_BYTES};
use crate::load;
use crate::measure::{Count, Tally};
use crate::message::{Echo, ITEM_BYTES, NAME, body};

/// What a message wants, its first byte.
const ECHO: u8 = 0;
const ITEMS: u8 = 1;
/// So much is written at once at most.
const WRITE_BYTES_MAX: usize = 256 << 10;

/// Serves; `IS_PIPELINED` coalesces.
pub async fn serve<const IS_PIPELINED: bool>() -> Result<Infallible> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    super::announce(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // It ends when the client is gone.
        tokio::spawn(answer::<IS_PIPELINED>(stream));
    }
}

async fn answer<const IS_PIPELINED: bool>(mut stream: TcpStream) -> Result<()> {
    let (mut reader, mut writer) = stream.split();
    let mut frames = Frames::default();
    loop {
        frames.read(&mut reader).await?;
        if frames.first_kind() == Some(ITEMS) {
            break;
        }
        if IS_PIPELINED {
            let (_, whole) = frames.take_whole();
            writer.write_all(&whole).await?;
        } else {
            while let Some(frame) = frames.next() {
                writer.write_all(&frame).await?;
            }
        }
    }
    let item = frame(ECHO, &body(ITEM_BYTES));
    let block = item.repeat(if IS_PIPELINED { WRITE_BYTES_MAX / item.len() } else { 1 });
    loop {
        writer.write_all(&block).await?;
    }
}

fn frame(kind: u8, body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(HEADER_BYTES + body.len());
    frame.put_u32(body.len() as u32);
    frame.put_u8(kind);
    frame.put_slice(body);
    frame
}

/// The body of an echo: as large as the other peers', if less clever.
fn echo_body(id: u64, payload: &[u8]) -> BytesMut {
    let mut body = BytesMut::with_capacity(8 + NAME.len() + payload.len());
    body.put_u64(id);
    body.put_slice(NAME.as_bytes());
    body.put_slice(payload);
    body
}

pub struct Client<const IS_PIPELINED: bool>(Mutex<(TcpStream, Frames)>);

impl<const IS_PIPELINED: bool> load::Client for Client<IS_PIPELINED> {
    async fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self(Mutex::new((stream, Frames::default()))))
    }

    async fn echo(&self, message: Echo) -> Result<Echo> {
        let mut connection = self.0.lock().await;
        let (stream, frames) = &mut *connection;
        let sent = frame(ECHO, &echo_body(message.id, &message.payload));
        stream.write_all(&sent).await?;
        let received = loop {
            frames.read(stream).await?;
            if let Some(frame) = frames.next() {
                break frame;
            }
        };
        ensure!(received == sent, "another reply");
        Ok(message)
    }

    async fn blob(&self) -> Result<usize> {
        bail!("a raw connection answers in order")
    }

    async fn items(&self, count: Count) -> Result<()> {
        let mut connection = self.0.lock().await;
        let (stream, frames) = &mut *connection;
        stream.write_all(&frame(ITEMS, &[])).await?;
        loop {
            frames.read(stream).await?;
            count.add(frames.take_whole().0);
        }
    }

    /// One task has them all in flight.
    fn callers(
        self: &Arc<Self>,
        in_flight: usize,
        payload: &Bytes,
        tally: &Tally,
        tasks: &mut JoinSet<Result<()>>,
    ) {
        let (client, count) = (self.clone(), tally.count());
        let frame = frame(ECHO, &echo_body(0, payload));
        tasks.spawn(async move {
            let mut connection = client.0.lock().await;
            let (stream, frames) = &mut *connection;
            keep_in_flight(stream, frames, &frame, in_flight, IS_PIPELINED, &count).await
        });
    }
}

async fn keep_in_flight(
    stream: &mut TcpStream,
    frames: &mut Frames,
    frame: &[u8],
    in_flight: usize,
    is_pipelined: bool,
    count: &Count,
) -> Result<()> {
    let (mut reader, mut writer) = stream.split();
    let at_once = if is_pipelined { (WRITE_BYTES_MAX / frame.len()).clamp(1, in_flight) } else { 1 };
    let block = frame.repeat(at_once);
    // What the first unsent frame has been sent of.
    let (mut unsent, mut offset) = (in_flight, 0);
    loop {
        let ready = &block[offset..frame.len() * unsent.min(at_once).max(1)];
        tokio::select! {
            biased;
            written = writer.write(ready), if unsent > 0 => {
                offset += written?;
                unsent -= offset / frame.len();
                offset %= frame.len();
            }
            read = frames.read(&mut reader) => {
                read?;
                let (answered, _) = frames.take_whole();
                unsent += answered as usize;
                count.add(answered);
            }
        }
    }
}
