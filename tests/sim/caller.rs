//! One call as its plan has it, with what its caller checks: the answer is its own, items come in order and without a gap, it ends in time.

use farcall::{CallError, Error, Fate, Streaming};
use futures::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout};

use crate::ledger::{End, Ledger};
use crate::plan::{CallPlan, Shape};
use crate::service::{Answer, Ask, DeskClient, Failure, Piece, content};
use crate::time::{ms, pass, since};

/// How often a call is made again where that is safe, and how long after.
const ATTEMPTS_MAX: u32 = 4;
const RETRY_MS: u64 = 100;

/// Makes a call, and makes it again for as long as it fails and that is safe.
pub async fn run(mut plan: CallPlan, client: DeskClient, ledger: Ledger) {
    pass(plan.at_ms).await;
    for attempt in 0..ATTEMPTS_MAX {
        plan.ask.attempt = attempt;
        let which = plan.ask.which();
        ledger.begin(which, plan.shape == Shape::Get);
        let start = Instant::now();
        let caller = Caller { plan: &plan, client: &client, ledger: &ledger };
        let outcome = match plan.drop_ms {
            Some(drop_ms) => timeout(ms(drop_ms), caller.call()).await.unwrap_or(Ok(End::Dropped)),
            None => caller.call().await,
        };
        // A timer is a millisecond late at most.
        if plan.ask.timeout_ms.is_some_and(|timeout_ms| since(start) > timeout_ms + 1) && plan.pace_ms == 0 {
            ledger.log.wrong(format_args!("call {which} took {} ms", since(start)));
        }
        match outcome {
            Ok(end) => return ledger.end(which, end),
            Err(error) => {
                ledger.log.note(format_args!("call {which} failed: {:?} {:?}", error.kind(), error.code()));
                ledger.end(which, End::Failed(error.fate()));
                let may_repeat = plan.shape == Shape::Get && error.fate() == Fate::MaybeExecuted;
                if !error.is_retryable() && !may_repeat {
                    return;
                }
            }
        }
        pass(RETRY_MS).await;
    }
}

struct Caller<'c> {
    plan: &'c CallPlan,
    client: &'c DeskClient,
    ledger: &'c Ledger,
}

/// Adjusts a call as its request says.
macro_rules! timed {
    ($call:expr, $ask:expr) => {
        match $ask.timeout_ms {
            Some(timeout_ms) => $call.timeout(ms(timeout_ms)),
            None => $call,
        }
    };
}

impl Caller<'_> {
    async fn call(&self) -> Result<End, Error> {
        let (ask, client) = (self.plan.ask.clone(), self.client);
        let asked = ask.clone();
        match self.plan.shape {
            Shape::Add => self.answered(timed!(client.add(ask), asked).await),
            Shape::Get => self.answered(timed!(client.get(ask), asked).await),
            Shape::Tell => timed!(client.tell(ask), asked).await.map(|()| End::Sent),
            Shape::Gather => {
                let pieces = self.pieces();
                self.answered(timed!(client.gather(ask, pieces), asked).await)
            }
            Shape::List => {
                let answered = timed!(client.list(ask), asked).await;
                self.streamed(answered).await
            }
            Shape::Chat => {
                let pieces = self.pieces();
                let answered = timed!(client.chat(ask, pieces), asked).await;
                self.streamed(answered).await
            }
        }
    }

    /// The items that the caller sends.
    fn pieces(&self) -> impl Stream<Item = Piece> + Send + use<> {
        let (ask, pace_ms): (Ask, _) = (self.plan.ask.clone(), self.plan.pace_ms);
        stream::iter(0..ask.items).then(move |number| {
            let piece = ask.piece(number);
            async move {
                pass(pace_ms).await;
                piece
            }
        })
    }

    fn wrong(&self, what: &str) {
        self.ledger.log.wrong(format_args!("the caller of {} got {what}", self.plan.ask.which()));
    }

    fn answered(&self, result: Result<Answer, CallError<Failure>>) -> Result<End, Error> {
        let ask = &self.plan.ask;
        match result {
            Ok(answer) => {
                let content = content(ask.call, ask.attempt, ask.reply_bytes);
                if answer != (Answer { call: ask.call, attempt: ask.attempt, content }) {
                    self.wrong("an answer that is not its own");
                }
                Ok(End::Done)
            }
            Err(error) => self.failed(error),
        }
    }

    fn failed(&self, error: CallError<Failure>) -> Result<End, Error> {
        let Failure(call) = error.into_method()?;
        if call != self.plan.ask.call {
            self.wrong("an error that is not its own");
        }
        Ok(End::OwnError)
    }

    async fn streamed(&self, result: Result<Streaming<Piece>, CallError<Failure>>) -> Result<End, Error> {
        let CallPlan { ask, pace_ms, drop_items, .. } = self.plan;
        let mut pieces = match result {
            Ok(pieces) => pieces,
            Err(error) => return self.failed(error),
        };
        for number in 0.. {
            if *drop_items == Some(number) {
                return Ok(End::Dropped);
            }
            match pieces.next().await {
                Some(Ok(piece)) if number < ask.items && piece == ask.piece(number) => {}
                Some(Ok(piece)) => self.wrong(&format!("item {} in place of {number}", piece.number)),
                Some(Err(error)) => return Err(error),
                None => {
                    if number != ask.items {
                        self.wrong(&format!("the end after {number} items"));
                    }
                    break;
                }
            }
            pass(*pace_ms).await;
        }
        Ok(End::Done)
    }
}
