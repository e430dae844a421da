//! One call of some shape, and what may become of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use farcall::{Call, CallError, Code, Error, ErrorKind, Reply, Start, Streaming};
use fastrand::Rng;
use futures::{Stream, StreamExt, stream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::BOUND;
use crate::lab::{LabClient, LabError, Part, RELAYED_LENGTH, SENT_LENGTH, answer_to};
use crate::ledger::{End, Ledger};
use crate::pattern;

const LARGE_BYTES_MIN: usize = 64 << 10;
/// Large bodies take turns: if many met by chance now and then, their memory would hide what grows.
static LARGE_TURNS: Semaphore = Semaphore::const_new(2);
/// So long are they, for the same reason: what one has left, the next can use.
const LARGE_BYTES: [usize; 3] = [256 << 10, 1 << 20, 2 << 20];
/// A link that stands still must not keep a turn.
const LARGE_TURN_MAX: Duration = Duration::from_millis(500);

/// Makes one call, which is given up half way now and then.
pub(crate) async fn make(client: LabClient, ledger: Arc<Ledger>, mut rng: Rng) {
    let ticket = ledger.open();
    let patience = match rng.u32(0..6) {
        0 => Some(Duration::from_micros(rng.u64(0..20_000))),
        _ => None,
    };
    let deadline = match rng.u32(0..4) {
        0 => Some(Duration::from_micros(rng.u64(0..200_000))),
        _ => None,
    };
    let caller = Caller { client, ledger, call: ticket.id, deadline, rng };
    let end = match timeout(patience.unwrap_or(BOUND), caller.make()).await {
        Ok(end) => end,
        // The call was dropped.
        Err(_) if patience.is_some() => End::Cancelled,
        Err(_) => End::Wrong(format!("the call did not end within {BOUND:?}")),
    };
    ticket.end(end);
}

/// Judges an answer by what a check says of it.
pub(crate) fn answered(check: Result<(), String>) -> End {
    check.map_or_else(
        |fault| End::Wrong(format!("the answer is not this call's: {fault}")),
        |()| End::Answered,
    )
}

fn is<T: PartialEq + fmt::Debug>(got: &T, expected: &T) -> End {
    answered(if got == expected { Ok(()) } else { Err(format!("{got:?} came in place of {expected:?}")) })
}

struct Caller {
    client: LabClient,
    ledger: Arc<Ledger>,
    call: u64,
    deadline: Option<Duration>,
    rng: Rng,
}

impl Caller {
    async fn make(mut self) -> End {
        match self.rng.u32(0..100) {
            0..50 => self.work().await,
            50..58 => self.late().await,
            58..62 => self.fail().await,
            62..66 => self.hang().await,
            66..68 => self.boom().await,
            68..70 => self.boom_later().await,
            70..76 => self.note().await,
            76..86 => self.parts().await,
            86..93 => self.count().await,
            _ => self.relay().await,
        }
    }

    async fn work(&mut self) -> End {
        let (length, answer_length) = (self.length(), self.length());
        let mut turn = None;
        if length.max(answer_length) >= LARGE_BYTES_MIN {
            turn = LARGE_TURNS.acquire().await.ok();
            self.deadline.get_or_insert(LARGE_TURN_MAX);
        }
        let body = pattern::bytes_of(self.call, length);
        let call = self.client.work(self.call, body, length as u64, answer_length as u64);
        let end = match self.adjusted(call).await {
            Ok(reply) => answered(pattern::check(&reply, answer_to(self.call), answer_length)),
            Err(error) => self.failed(error),
        };
        drop(turn);
        end
    }

    async fn late(&mut self) -> End {
        let after = Duration::from_millis(self.rng.u64(0..100));
        match self.adjusted(self.client.late(self.call, after)).await {
            Ok(reply) => is(&reply, &answer_to(self.call)),
            Err(error) => self.failed(error),
        }
    }

    async fn fail(&mut self) -> End {
        match self.adjusted(self.client.fail(self.call)).await {
            Err(CallError::Method(error)) => is(&error, &LabError::Asked(self.call)),
            Err(CallError::Rpc(error)) => self.failed(error),
            Ok(()) => End::Wrong("a method that fails has answered".to_owned()),
        }
    }

    async fn hang(&mut self) -> End {
        self.deadline.get_or_insert(Duration::from_millis(self.rng.u64(1..100)));
        match self.adjusted(self.client.hang(self.call)).await {
            Ok(()) => End::Wrong("a method that hangs has answered".to_owned()),
            Err(error) => self.failed(error),
        }
    }

    async fn boom(&mut self) -> End {
        match self.adjusted(self.client.boom(self.call)).await {
            Ok(()) => End::Wrong("a method that panics has answered".to_owned()),
            Err(error) => self.panicked(error),
        }
    }

    async fn boom_later(&mut self) -> End {
        let count = self.rng.u64(0..20);
        let mut parts = match self.adjusted(self.client.boom_later(self.call, count)).await {
            Ok(parts) => parts,
            Err(error) => return self.panicked(error),
        };
        for index in 0.. {
            match parts.next().await {
                Some(Ok(part)) if index < count => {
                    if let Err(fault) = part.check(answer_to(self.call), index, 1) {
                        return End::Wrong(fault);
                    }
                    self.ledger.item();
                }
                Some(Err(error)) => return self.panicked(error),
                other => {
                    return End::Wrong(format!("a stream that panics after {count} items gave {other:?}"));
                }
            }
        }
        End::Wrong("a stream has no end".to_owned())
    }

    async fn note(&mut self) -> End {
        match self.adjusted(self.client.note(self.call)).await {
            Ok(()) => End::Sent,
            Err(error) => self.failed(error),
        }
    }

    async fn parts(&mut self) -> End {
        let (count, length) = (self.rng.u64(0..200), self.rng.usize(0..2_000));
        match self.adjusted(self.client.parts(self.call, count, length as u64)).await {
            Ok(parts) => self.read(parts, count, length).await,
            Err(error) => self.failed(error),
        }
    }

    async fn count(&mut self) -> End {
        let count = self.rng.u64(0..200);
        let parts = self.own_parts(count);
        match self.adjusted(self.client.count(self.call, count, parts)).await {
            Ok(counted) => is(&counted, &count),
            Err(error) => self.stream_failed(error),
        }
    }

    async fn relay(&mut self) -> End {
        let count = self.rng.u64(0..200);
        let parts = self.own_parts(count);
        match self.adjusted(self.client.relay(self.call, parts)).await {
            Ok(parts) => self.read(parts, count, RELAYED_LENGTH).await,
            Err(error) => self.stream_failed(error),
        }
    }

    /// Reads a stream to its end; one in four readers is slow, and one in four goes away half way.
    async fn read<E>(&mut self, mut parts: Streaming<Part, E>, count: u64, length: usize) -> End
    where
        E: Into<CallError<LabError>>,
    {
        let pause = (self.rng.u32(0..4) == 0).then(|| Duration::from_micros(self.rng.u64(0..10_000)));
        let wanted = if self.rng.u32(0..4) == 0 { self.rng.u64(0..=count) } else { u64::MAX };
        for index in 0..wanted {
            match parts.next().await {
                Some(Ok(part)) if index < count => {
                    if let Err(fault) = part.check(answer_to(self.call), index, length) {
                        return End::Wrong(fault);
                    }
                    self.ledger.item();
                }
                Some(Ok(_)) => return End::Wrong(format!("more than {count} items came")),
                Some(Err(error)) => return self.stream_failed(error.into()),
                None if index == count => return End::Answered,
                None => return End::Wrong(format!("the stream ended after {index} of {count} items")),
            }
            if let Some(pause) = pause {
                sleep(pause).await;
            }
        }
        End::Cancelled
    }

    /// The stream that this call sends; one in four comes slowly.
    fn own_parts(&mut self, count: u64) -> impl Stream<Item = Part> + Send + use<> {
        let pause = (self.rng.u32(0..4) == 0).then(|| Duration::from_micros(self.rng.u64(0..5_000)));
        let call = self.call;
        stream::iter(0..count).then(move |index| async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            Part::new(call, index, SENT_LENGTH)
        })
    }

    /// Most bodies are small; one in a hundred has up to two mebibytes.
    fn length(&mut self) -> usize {
        match self.rng.u32(0..100) {
            0..85 => self.rng.usize(0..1 << 10),
            85..99 => self.rng.usize(0..LARGE_BYTES_MIN),
            _ => LARGE_BYTES[self.rng.usize(..LARGE_BYTES.len())],
        }
    }

    fn adjusted<R: Reply, A: Start>(&self, call: Call<R, A>) -> Call<R, A> {
        match self.deadline {
            Some(deadline) => call.timeout(deadline),
            None => call,
        }
    }

    /// A call may fail because of what is done to its link, its server and its time, and for no other reason.
    fn failed(&self, error: Error) -> End {
        let is_due = match error.kind() {
            ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Refused => true,
            ErrorKind::DeadlineExceeded => self.deadline.is_some(),
            // A server that ends says so.
            ErrorKind::Status => error.code() == Code::Unavailable,
            _ => false,
        };
        if is_due { End::Failed(error) } else { End::Wrong(format!("the call failed unduly: {error:?}")) }
    }

    fn panicked(&self, error: Error) -> End {
        match error.code() {
            Code::Internal if error.kind() == ErrorKind::Status => End::Failed(error),
            _ => self.failed(error),
        }
    }

    /// A handler may have found the caller's stream broken before its answer did not get through.
    fn stream_failed(&self, error: CallError<LabError>) -> End {
        match error {
            CallError::Rpc(error) => self.failed(error),
            CallError::Method(error) => End::Wrong(format!("a stream broke off on a sound link: {error:?}")),
        }
    }
}
