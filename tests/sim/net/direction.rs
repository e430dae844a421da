//! One direction of a connection: chunks of any size, each late by chance, in their order.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use fastrand::Rng;
use futures::future::{Either, select, try_join};
use rpc_core::wire::FrameKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::frames::{Frame, Frames};
use super::{Route, State, Way};
use crate::time::{ms, pass};

/// So many chunks are under way before the sender has to wait.
const CHUNKS_MAX: usize = 16;
/// What a slow reader takes at once, and how long until it takes more.
const SLOW_BYTES: usize = 700;
const SLOW_MS: u64 = 4;

/// One direction of a connection.
pub struct Pipe {
    pub(super) way: Way,
    pub(super) name: String,
    pub(super) route: Arc<Route>,
    /// The state of the route when the connection was made.
    pub(super) start: State,
    pub(super) rng: Rng,
}

struct Chunk {
    due: Instant,
    bytes: Bytes,
}

impl Pipe {
    /// Carries bytes until they end; an error where the receiver takes no more, which the sender is to see as a reset.
    pub(super) async fn carry(self, from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let Self { way, name, route, start, rng } = self;
        let (send, chunks) = mpsc::channel(CHUNKS_MAX);
        let taken = take(route.clone(), rng, from, send);
        let given = Giver { way, name, route, frames: Frames::default(), to };
        try_join(taken, given.give(start, chunks)).await.map(|_| ())
    }
}

/// Takes what the sender has sent.
async fn take(
    route: Arc<Route>,
    mut rng: Rng,
    mut from: OwnedReadHalf,
    chunks: mpsc::Sender<Chunk>,
) -> io::Result<()> {
    let mut last = Instant::now();
    loop {
        // As many short chunks as long ones.
        let mut bytes = BytesMut::with_capacity(1 << rng.u32(0..=16));
        let read = from.read_buf(&mut bytes).await?;
        route.stillness.disturb();
        if read == 0 {
            return Ok(());
        }
        let late = route.latency_ms + rng.u64(0..=route.jitter_ms);
        last = last.max(Instant::now() + ms(late));
        if chunks.send(Chunk { due: last, bytes: bytes.freeze() }).await.is_err() {
            return Ok(());
        }
    }
}

/// Gives chunks to the receiver.
struct Giver {
    way: Way,
    name: String,
    route: Arc<Route>,
    frames: Frames,
    to: OwnedWriteHalf,
}

impl Giver {
    async fn give(mut self, start: State, mut chunks: mpsc::Receiver<Chunk>) -> io::Result<()> {
        let route = self.route.clone();
        let way = self.way as usize;
        let is_over = |state: &State| state.forgets != start.forgets || state.ends[way] != start.ends[way];
        loop {
            let next = match select(pin!(chunks.recv()), pin!(route.state.until(is_over))).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => None,
            };
            let Some(Chunk { due, bytes }) = next else { break };
            sleep_until(due).await;
            route.state.until(|state| state.blocks[way] == 0).await;
            if route.state.get().forgets != start.forgets {
                break;
            }
            self.give_chunk(bytes).await?;
        }
        route.state.until(|state| state.blocks[way] == 0).await;
        if route.state.get().forgets != start.forgets {
            while chunks.recv().await.is_some() {}
            // The receiver is not told either that the sender has given up.
            return pending().await;
        }
        self.route.log.note(format_args!("{} {:?} end", self.name, self.way));
        self.to.shutdown().await?;
        // A sender that goes on all the same is told that nobody listens.
        match chunks.recv().await {
            Some(_) => Err(io::ErrorKind::ConnectionReset.into()),
            None => Ok(()),
        }
    }

    async fn give_chunk(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            let is_slow = self.route.state.get().slows[self.way as usize] > 0;
            let mut part = bytes.split_to(if is_slow { SLOW_BYTES.min(bytes.len()) } else { bytes.len() });
            while !part.is_empty() {
                self.give_part(&mut part).await?;
            }
            if is_slow {
                pass(SLOW_MS).await;
            }
        }
        Ok(())
    }

    async fn give_part(&mut self, bytes: &mut Bytes) -> io::Result<()> {
        let (part, completed) = self.frames.next(bytes);
        self.to.write_all(&part).await?;
        let Self { name, way, route, .. } = self;
        match completed {
            None => route.log.note(format_args!("{name} {way:?} {} bytes", part.len())),
            Some(Frame::Opening) => route.log.note(format_args!("{name} {way:?} opening")),
            Some(Frame::Frame(header)) => {
                let (kind, id) = (header.kind, header.id);
                route.log.note(format_args!("{name} {way:?} {id} {kind:?} of {} bytes", header.bytes));
                if kind == Some(FrameKind::Data) {
                    route.data_bytes[*way as usize].fetch_add(header.bytes.into(), Ordering::Relaxed);
                }
            }
        }
        // A server that reads several calls at once starts as many of them in a row as it has real time for, which no seed decides.
        if completed.is_some() && *way == Way::Up {
            pass(1).await;
        }
        Ok(())
    }
}
