//! What is called: methods of all shapes, which do what the request says and write down that they ran.

use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall::{Streaming, service};
use futures::{Stream, StreamExt, stream};
use rpc_core::wire::HEADER_BYTES;
use serde::{Deserialize, Serialize};
use tokio::task::yield_now;

use crate::ledger::{Inside, Ledger, Try};
use crate::shared::Shared;
use crate::time::pass;

/// What a handler is to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    Answer,
    /// Ends with the method's own error; in place of a stream, not within it.
    Fail,
    /// In a stream, half way.
    Panic,
    Hang,
}

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    pub call: u64,
    pub attempt: u32,
    pub act: Act,
    pub after_ms: u64,
    pub reply_bytes: u32,
    /// How many items there are, in each direction.
    pub items: u32,
    pub item_bytes: u32,
    /// How long the handler takes for each item.
    pub pace_ms: u64,
    pub timeout_ms: Option<u64>,
    pub content: Bytes,
}

impl Ask {
    pub fn which(&self) -> Try {
        Try { call: self.call, attempt: self.attempt }
    }

    /// Returns the item with this number.
    pub fn piece(&self, number: u32) -> Piece {
        Piece { call: self.call, number, content: content(self.call, number, self.item_bytes) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub call: u64,
    pub attempt: u32,
    pub content: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    pub call: u64,
    pub number: u32,
    pub content: Bytes,
}

/// The methods' own error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure(pub u64);

/// Returns content that no other call and no other item has.
pub fn content(call: u64, number: u32, bytes: u32) -> Bytes {
    let unit = (call << 32 | u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    let mut content = unit.repeat(bytes as usize / unit.len() + 1);
    content.truncate(bytes as usize);
    content.into()
}

#[service]
pub trait Desk {
    async fn add(&self, ask: Ask) -> Result<Answer, Failure>;
    #[rpc(idempotent)]
    async fn get(&self, ask: Ask) -> Result<Answer, Failure>;
    #[rpc(oneway)]
    async fn tell(&self, ask: Ask);
    async fn list(&self, ask: Ask) -> Result<impl Stream<Item = Piece> + Send, Failure>;
    async fn gather(&self, ask: Ask, pieces: Streaming<Piece>) -> Result<Answer, Failure>;
    /// Sends each piece back.
    async fn chat(
        &self,
        ask: Ask,
        pieces: Streaming<Piece>,
    ) -> Result<impl Stream<Item = Piece> + Send, Failure>;
    /// Answers once so many are here at the same time.
    async fn meet(&self);
    /// Sends without end.
    fn pour(&self) -> impl Stream<Item = Bytes> + Send;
    /// Never reads what is sent.
    async fn ignore(&self, pieces: Streaming<Bytes>);
}

/// Units without end, each of which goes out in a frame of its own: none is ready together with the one before.
pub fn units() -> impl Stream<Item = Bytes> + Send {
    stream::repeat(Bytes::from_static(UNIT)).then(|unit| async {
        yield_now().await;
        unit
    })
}

/// A server's state; a new one for each start.
pub struct Clerk {
    pub ledger: Ledger,
    /// How many have come to meet so far.
    pub met: Shared<u32>,
    pub calls_max: u32,
}

/// An item that costs [`UNIT_COST`] of credit: beside its bytes their length, and what each frame costs.
const UNIT: &[u8] = &[7; (UNIT_COST - 2 - FRAME_COST) as usize];
pub const UNIT_COST: u32 = 256;
/// What a frame costs beside its content.
pub const FRAME_COST: u32 = HEADER_BYTES as u32;

/// What is raised on purpose.
pub struct OnPurpose;

/// Longer than what a method may take on average to be run where it was read.
const SLOW: Duration = Duration::from_micros(12);

/// Has the server run every handler in a task: where handlers run is else decided by measuring them, which no seed decides.
fn look_slow() {
    let start = Instant::now();
    while start.elapsed() < SLOW {
        std::hint::spin_loop();
    }
}

impl Clerk {
    fn enter(&self, ask: &Ask) -> Inside {
        look_slow();
        let inside = self.ledger.run(ask.which(), ask.timeout_ms);
        if ask.content != content(ask.call, u32::MAX, u32::try_from(ask.content.len()).unwrap()) {
            self.ledger.log.wrong(format_args!("call {} has come with another one's content", ask.which()));
        }
        inside
    }

    async fn answer(&self, ask: &Ask) -> Result<Answer, Failure> {
        pass(ask.after_ms).await;
        act(ask).await?;
        let content = content(ask.call, ask.attempt, ask.reply_bytes);
        Ok(Answer { call: ask.call, attempt: ask.attempt, content })
    }
}

async fn act(ask: &Ask) -> Result<(), Failure> {
    match ask.act {
        Act::Answer => Ok(()),
        Act::Fail => Err(Failure(ask.call)),
        Act::Panic => std::panic::panic_any(OnPurpose),
        Act::Hang => pending().await,
    }
}

/// Holds the items that came in against what was sent: an end that nobody sent would be a lie.
struct Received {
    ask: Ask,
    next: u32,
    ledger: Ledger,
}

impl Received {
    /// Tells whether there may be more.
    fn take(&mut self, piece: Option<&Result<Piece, farcall::Error>>) -> bool {
        let Self { ask, next, ledger } = self;
        match piece {
            Some(Ok(piece)) if *piece == ask.piece(*next) => *next += 1,
            Some(Ok(piece)) => {
                let got = piece.number;
                ledger.log.wrong(format_args!("the handler of {} got item {got}, not {next}", ask.which()));
            }
            Some(Err(_)) => return false,
            None if *next == ask.items => return false,
            None => {
                ledger
                    .log
                    .wrong(format_args!("the handler of {} saw the end after {next} items", ask.which()));
                return false;
            }
        }
        true
    }
}

impl Desk for Clerk {
    async fn add(&self, ask: Ask) -> Result<Answer, Failure> {
        let _inside = self.enter(&ask);
        self.answer(&ask).await
    }

    async fn get(&self, ask: Ask) -> Result<Answer, Failure> {
        let _inside = self.enter(&ask);
        self.answer(&ask).await
    }

    async fn tell(&self, ask: Ask) {
        let _inside = self.enter(&ask);
        // It ends like the others; nobody is told.
        let _ = self.answer(&ask).await;
    }

    async fn list(&self, ask: Ask) -> Result<impl Stream<Item = Piece> + Send, Failure> {
        let inside = self.enter(&ask);
        pass(ask.after_ms).await;
        if ask.act == Act::Fail {
            return Err(Failure(ask.call));
        }
        Ok(stream::iter(0..ask.items).then(move |number| {
            let _ = &inside;
            let ask = ask.clone();
            async move {
                pass(ask.pace_ms).await;
                if number == ask.items / 2 {
                    let _ = act(&ask).await;
                }
                ask.piece(number)
            }
        }))
    }

    async fn gather(&self, ask: Ask, mut pieces: Streaming<Piece>) -> Result<Answer, Failure> {
        let _inside = self.enter(&ask);
        let mut received = Received { ask: ask.clone(), next: 0, ledger: self.ledger.clone() };
        while ask.act != Act::Fail && received.take(pieces.next().await.as_ref()) {
            pass(ask.pace_ms).await;
        }
        self.answer(&ask).await
    }

    async fn chat(
        &self,
        ask: Ask,
        pieces: Streaming<Piece>,
    ) -> Result<impl Stream<Item = Piece> + Send, Failure> {
        let inside = self.enter(&ask);
        pass(ask.after_ms).await;
        if ask.act == Act::Fail {
            return Err(Failure(ask.call));
        }
        let received = Received { ask, next: 0, ledger: self.ledger.clone() };
        let start = (received, pieces, inside);
        Ok(stream::unfold(start, |(mut received, mut pieces, inside)| async move {
            let piece = pieces.next().await;
            if !received.take(piece.as_ref()) {
                return None;
            }
            pass(received.ask.pace_ms).await;
            if received.next > received.ask.items / 2 {
                let _ = act(&received.ask).await;
            }
            Some((piece?.ok()?, (received, pieces, inside)))
        }))
    }

    async fn meet(&self) {
        look_slow();
        self.met.change(|met| *met += 1);
        let all = self.met.get().next_multiple_of(self.calls_max);
        self.met.until(|met| *met >= all).await;
    }

    fn pour(&self) -> impl Stream<Item = Bytes> + Send {
        look_slow();
        units()
    }

    async fn ignore(&self, pieces: Streaming<Bytes>) {
        look_slow();
        let _pieces = pieces;
        pending().await
    }
}
