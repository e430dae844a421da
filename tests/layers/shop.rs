//! A service with methods that may run twice and methods that may not, and what stands in for its server.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use farcall::layers::answer;
use farcall::{
    BoxService, Code, Error, ErrorKind, Fate, Layer, Next, Request, Response, Router, Status, Streaming,
    layer_fn, service,
};
use futures::{Stream, stream};

#[service]
pub trait Shop {
    #[rpc(idempotent)]
    async fn price(&self, item: String) -> u64;
    async fn buy(&self, item: String) -> u64;
    #[rpc(idempotent)]
    fn offers(&self, to: u64) -> impl Stream<Item = u64> + Send;
    #[rpc(idempotent)]
    async fn fill(&self, items: Streaming<u64>) -> u64;
    async fn boom(&self) -> u64;
    fn boom_later(&self) -> impl Stream<Item = u64> + Send;
}

/// Answers everything with its own length.
pub struct Corner;

impl Shop for Corner {
    async fn price(&self, item: String) -> u64 {
        item.len() as u64
    }

    async fn buy(&self, item: String) -> u64 {
        item.len() as u64
    }

    fn offers(&self, to: u64) -> impl Stream<Item = u64> + Send {
        stream::iter(0..to)
    }

    async fn fill(&self, mut items: Streaming<u64>) -> u64 {
        let mut sum = 0;
        while let Some(Ok(item)) = futures::StreamExt::next(&mut items).await {
            sum += item;
        }
        sum
    }

    async fn boom(&self) -> u64 {
        panic!("on purpose")
    }

    fn boom_later(&self) -> impl Stream<Item = u64> + Send {
        stream::iter(0..2).map_panic()
    }
}

trait MapPanic: Stream<Item = u64> + Sized {
    /// Panics at the item 1.
    fn map_panic(self) -> impl Stream<Item = u64> {
        futures::StreamExt::map(self, |item| {
            assert!(item == 0, "on purpose");
            item
        })
    }
}

impl<S: Stream<Item = u64>> MapPanic for S {}

/// Answers calls with a function, in the place of a server.
pub fn stand_in<F>(function: impl Fn(Request) -> F + Send + Sync + 'static) -> BoxService
where
    F: Future<Output = Result<Response, Error>> + Send + 'static,
{
    BoxService::new(layer_fn(move |request: Request, _: Next| function(request)).layer(Router::new()))
}

/// What became of an attempt.
#[derive(Clone)]
pub enum Fails {
    Refused,
    NeverSent,
    Lost,
    TimedOut,
    Status(Status),
    Not,
}

impl Fails {
    pub fn code(code: Code) -> Self {
        Self::Status(Status::new(code, "on purpose"))
    }

    pub fn result(&self, request: &Request) -> Result<Response, Error> {
        let kind = match self {
            Self::Refused => ErrorKind::Refused,
            Self::NeverSent => ErrorKind::Connect,
            Self::Lost => ErrorKind::ConnectionLost,
            Self::TimedOut => ErrorKind::DeadlineExceeded,
            Self::Status(status) => return Err(status.clone().into()),
            Self::Not => return answer(request, &7_u64),
        };
        Err(Error::new(kind, "on purpose"))
    }
}

/// An attempt, as a server would have seen it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub number: Option<String>,
    pub no_retry: bool,
    pub at: tokio::time::Instant,
}

/// Fails as it is told, then succeeds, and notes what it sees.
#[derive(Clone, Default)]
pub struct Script {
    fails: Arc<Mutex<VecDeque<Fails>>>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
}

impl Script {
    pub fn new(fails: impl IntoIterator<Item = Fails>) -> Self {
        Self { fails: Arc::new(Mutex::new(fails.into_iter().collect())), ..Self::default() }
    }

    pub fn service(&self) -> BoxService {
        let script = self.clone();
        stand_in(move |request| {
            let attempt = Attempt {
                number: request.metadata().text("retry-attempt").map(str::to_owned),
                no_retry: request.metadata().text("no-retry").is_some(),
                at: tokio::time::Instant::now(),
            };
            script.attempts.lock().unwrap().push(attempt);
            let fails = script.fails.lock().unwrap().pop_front().unwrap_or(Fails::Not);
            async move { fails.result(&request) }
        })
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    /// How long it took from each attempt to the next, in milliseconds.
    pub fn waits(&self) -> Vec<u128> {
        self.attempts().windows(2).map(|pair| (pair[1].at - pair[0].at).as_millis()).collect()
    }
}

pub fn fate(error: &Error) -> (ErrorKind, Fate) {
    (error.kind(), error.fate())
}
