//! The socket itself: length-prefixed messages over tokio's TCP, with nodelay, echoed without decoding.
//!
//! `raw` makes one write for each message. `raw-pipelined` writes all that is ready at once, on both sides: the limit. Neither has caller
//! tasks: one task keeps the calls in flight and counts what comes back. Yet, as any framework has to, it takes each message out of what
//! was read, whole, and puts each small one into the buffer by itself.

mod frames;

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
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
/// What is larger is written from where it lies.
const COPIED_BYTES_MAX: usize = 4 << 10;

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
    let (mut frames, mut answers) = (Frames::default(), BytesMut::new());
    loop {
        frames.read(&mut reader).await?;
        if frames.first_kind() == Some(ITEMS) {
            break;
        }
        if IS_PIPELINED && frames.first_bytes() > COPIED_BYTES_MAX {
            writer.write_all(&frames.take_whole()).await?;
            continue;
        }
        while let Some(frame) = frames.next() {
            if IS_PIPELINED {
                answers.put_slice(&frame);
            } else {
                writer.write_all(&frame).await?;
            }
        }
        writer.write_all(&answers).await?;
        answers.clear();
    }
    let item = body(ITEM_BYTES);
    loop {
        answers.clear();
        while answers.is_empty() || IS_PIPELINED && answers.len() < WRITE_BYTES_MAX {
            put_frame(&mut answers, ECHO, &item);
        }
        writer.write_all(&answers).await?;
    }
}

fn put_frame(buffer: &mut BytesMut, kind: u8, body: &[u8]) {
    buffer.put_u32(body.len() as u32);
    buffer.put_u8(kind);
    buffer.put_slice(body);
}

fn frame(kind: u8, body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(HEADER_BYTES + body.len());
    put_frame(&mut frame, kind, body);
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
            count.add(std::iter::from_fn(|| frames.next()).count() as u64);
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
        let frame = frame(ECHO, &echo_body(0, payload)).freeze();
        tasks.spawn(async move {
            let mut connection = client.0.lock().await;
            let (stream, frames) = &mut *connection;
            keep_in_flight::<IS_PIPELINED>(stream, frames, &frame, in_flight, &count).await
        });
    }
}

async fn keep_in_flight<const IS_PIPELINED: bool>(
    stream: &mut TcpStream,
    frames: &mut Frames,
    frame: &Bytes,
    in_flight: usize,
    count: &Count,
) -> Result<()> {
    let (mut reader, mut writer) = stream.split();
    let at_once = if IS_PIPELINED { (WRITE_BYTES_MAX / frame.len()).clamp(1, in_flight) } else { 1 };
    let block = Bytes::from(frame.repeat(at_once));
    let (mut unsent, mut ready, mut requests) = (in_flight, Bytes::new(), BytesMut::new());
    let mut timed = None;
    loop {
        if ready.is_empty() && unsent > 0 {
            // The middle one of those that become ready together stands for them.
            let middle = count.get() + (in_flight - unsent.div_ceil(2)) as u64;
            timed = timed.or_else(|| count.is_timed().then(|| (middle, Instant::now())));
            // Gives the memory back before more is put there.
            drop(std::mem::take(&mut ready));
            if IS_PIPELINED && frame.len() <= COPIED_BYTES_MAX {
                (0..unsent).for_each(|_| requests.put_slice(frame));
                (ready, unsent) = (requests.split().freeze(), 0);
            } else {
                let count = unsent.min(at_once);
                (ready, unsent) = (block.slice(..count * frame.len()), unsent - count);
            }
        }
        tokio::select! {
            biased;
            written = writer.write(&ready), if !ready.is_empty() => ready.advance(written?),
            read = frames.read(&mut reader) => {
                read?;
                let answered = std::iter::from_fn(|| frames.next()).count();
                unsent += answered;
                count.add(answered as u64);
                if let Some((_, started_at)) = timed.take_if(|(call, _)| *call < count.get()) {
                    count.took(started_at.elapsed());
                }
            }
        }
    }
}
