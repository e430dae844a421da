//! What clients send, where it comes from, and when it is fetched anew.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::layers::auth::{BearerToken, Token, TokenSource};
use farcall::{
    BoxService, Code, Entry, Error, ErrorKind, Fate, Layer, Next, Request, Router, Status, layer_fn,
};
use futures::future::join_all;
use tokio::time::sleep;

use crate::bank::{BankClient, BankServer, Vault};

/// A server's place, which notes what arrives, and refuses the tokens that it is told to.
#[derive(Clone, Default)]
struct Door {
    seen: Arc<Mutex<Vec<(String, bool)>>>,
    refuses: Arc<Mutex<Option<String>>>,
}

impl Door {
    fn client<T: TokenSource>(&self, layer: BearerToken<T>) -> BankClient<BoxService> {
        let door = self.clone();
        let note = layer_fn(move |request: Request, next: Next| {
            let entry = request.metadata().iter().find(|entry| entry.key() == "authorization").cloned();
            let text = request.metadata().text("authorization").unwrap_or_default().to_owned();
            let is_refused = door.refuses.lock().unwrap().as_ref() == Some(&text);
            door.seen.lock().unwrap().push((text, entry.is_some_and(|entry| Entry::propagates(&entry))));
            async move {
                if is_refused {
                    return Err(Status::new(Code::Unauthenticated, "on purpose").into());
                }
                next.call(request).await
            }
        });
        let router = Router::new().with(BankServer::new(Vault::default())).unwrap();
        BankClient::new(BoxService::new(layer.layer(note.layer(router))))
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap()).into_iter().map(|(text, _)| text).collect()
    }
}

/// Gives `t1`, `t2`, … that live for a while, and takes its time, or fails, as it is told.
#[derive(Clone)]
struct Source {
    fetched: Arc<AtomicU32>,
    lifetime: Duration,
    takes: Duration,
    fails: Arc<Mutex<bool>>,
}

impl Source {
    fn new(lifetime: u64, takes: u64) -> Self {
        let [lifetime, takes] = [lifetime, takes].map(Duration::from_secs);
        Self { fetched: Arc::default(), lifetime, takes, fails: Arc::default() }
    }

    fn fetched(&self) -> u32 {
        self.fetched.load(Ordering::Relaxed)
    }

    fn fail(&self, fails: bool) {
        *self.fails.lock().unwrap() = fails;
    }
}

impl TokenSource for Source {
    async fn fetch(&self) -> Result<Token, Error> {
        let number = self.fetched.fetch_add(1, Ordering::Relaxed) + 1;
        if !self.takes.is_zero() {
            sleep(self.takes).await;
        }
        match *self.fails.lock().unwrap() {
            true => Err(Status::new(Code::Unavailable, "the log-in is down").into()),
            false => Ok(Token::new(format!("t{number}")).expires_in(self.lifetime)),
        }
    }
}

#[tokio::test]
async fn a_fixed_token_goes_with_each_call_and_no_further() {
    let door = Door::default();
    let client = door.client(BearerToken::new("abc"));
    client.who().await.unwrap();
    client.who().await.unwrap();
    assert_eq!(
        *door.seen.lock().unwrap(),
        [("Bearer abc".to_owned(), false), ("Bearer abc".to_owned(), false)]
    );
}

#[tokio::test]
async fn a_call_keeps_what_it_brings_itself_and_not_what_it_has_inherited() {
    let door = Door::default();
    let client = door.client(BearerToken::new("abc"));
    client.who().metadata("authorization", "Bearer own").await.unwrap();
    client.who().propagate("authorization", "Bearer of-another-caller").await.unwrap();
    let seen = std::mem::take(&mut *door.seen.lock().unwrap());
    assert_eq!(seen, [("Bearer own".to_owned(), false), ("Bearer abc".to_owned(), false)]);
}

#[tokio::test(start_paused = true)]
async fn many_calls_at_once_fetch_one_token() {
    let (door, source) = (Door::default(), Source::new(100, 3));
    let client = door.client(BearerToken::from_source(source.clone()));
    let calls = join_all((0..50).map(|_| client.who())).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(source.fetched(), 1);
    assert!(door.seen().iter().all(|text| text == "Bearer t1"));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_anew_before_it_expires_while_others_go_on_with_the_old_one() {
    let (door, source) = (Door::default(), Source::new(100, 3));
    let client = door.client(BearerToken::from_source(source.clone()));
    client.who().await.unwrap();
    sleep(Duration::from_secs(76)).await;
    client.who().await.unwrap();
    assert_eq!((source.fetched(), door.seen().len()), (1, 2), "a fifth of its time is not left yet");
    sleep(Duration::from_secs(2)).await;
    let began = tokio::time::Instant::now();
    let first = async { (client.who().await.unwrap(), began.elapsed()) };
    let second = async {
        tokio::task::yield_now().await;
        (client.who().await.unwrap(), began.elapsed())
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.1.as_secs(), second.1.as_secs()), (3, 0));
    assert_eq!((source.fetched(), door.seen()), (2, vec!["Bearer t1".into(), "Bearer t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn while_the_source_fails_the_old_token_serves_until_it_expires() {
    let (door, source) = (Door::default(), Source::new(100, 0));
    let client =
        door.client(BearerToken::from_source(source.clone()).refresh_before(Duration::from_secs(30)));
    client.who().await.unwrap();
    source.fail(true);
    sleep(Duration::from_secs(71)).await;
    for _ in 0..100 {
        client.who().await.unwrap();
    }
    assert_eq!(source.fetched(), 2, "the source is asked once a second, not by each call");
    sleep(Duration::from_secs(29)).await;
    let error = client.who().await.unwrap_err();
    assert_eq!((error.code(), error.fate()), (Code::Unavailable, Fate::NeverSent));
    assert!(error.to_string().contains("the log-in is down"), "{error}");
    for _ in 0..100 {
        assert_eq!(client.who().await.unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(source.fetched(), 3);
    source.fail(false);
    sleep(Duration::from_secs(1)).await;
    client.who().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_while_its_successor_does_not_come_is_not_sent() {
    let door = Door::default();
    let stuck = Arc::new(Mutex::new(false));
    let late = {
        let (stuck, first) = (stuck.clone(), AtomicU32::new(0));
        move || {
            let is_stuck = *stuck.lock().unwrap();
            let number = first.fetch_add(1, Ordering::Relaxed);
            async move {
                if is_stuck {
                    std::future::pending::<()>().await;
                }
                Ok(Token::new(format!("t{number}")).expires_in(Duration::from_secs(100)))
            }
        }
    };
    let layer = BearerToken::from_source(late).refresh_before(Duration::from_secs(5));
    let client = door.client(layer.fetch_timeout(Duration::from_secs(8)));
    client.who().await.unwrap();
    *stuck.lock().unwrap() = true;
    sleep(Duration::from_secs(96)).await;
    door.seen();
    let error = client.who().await.unwrap_err();
    assert_eq!((error.code(), error.fate()), (Code::Unavailable, Fate::NeverSent));
    assert!(door.seen().is_empty());
}

#[test]
fn a_fixed_token_needs_no_runtime() {
    let client = Door::default().client(BearerToken::new("abc"));
    futures::executor::block_on(client.who()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_together_fail_together() {
    let (door, source) = (Door::default(), Source::new(100, 3));
    source.fail(true);
    let client = door.client(BearerToken::from_source(source.clone()));
    let began = tokio::time::Instant::now();
    let calls = join_all((0..50).map(|_| client.who())).await;
    assert!(calls.iter().all(|call| call.as_ref().unwrap_err().code() == Code::Unavailable));
    assert_eq!((source.fetched(), began.elapsed().as_secs()), (1, 3));
    assert!(door.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_stuck_holds_calls_up_no_longer_than_agreed() {
    let (door, source) = (Door::default(), Source::new(100, 1_000_000));
    let client = door.client(BearerToken::from_source(source.clone()).fetch_timeout(Duration::from_secs(5)));
    let began = tokio::time::Instant::now();
    let hurried = client.who().timeout(Duration::from_secs(2)).await.unwrap_err();
    assert_eq!((hurried.kind(), hurried.fate()), (ErrorKind::DeadlineExceeded, Fate::NeverSent));
    assert_eq!(began.elapsed().as_secs(), 2);
    let patient = client.who().await.unwrap_err();
    assert!(patient.to_string().contains("no token came within 5s"), "{patient}");
    assert_eq!(began.elapsed().as_secs(), 7, "the deadline of one call is not that of the next");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_leaves_the_fetch_to_the_next() {
    let (door, source) = (Door::default(), Source::new(100, 3));
    let client = door.client(BearerToken::from_source(source.clone()));
    assert!(tokio::time::timeout(Duration::from_secs(1), client.who()).await.is_err());
    client.who().await.unwrap();
    assert_eq!((source.fetched(), door.seen()), (2, vec!["Bearer t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_a_server_refuses_is_fetched_anew_once_a_second_at_most() {
    let (door, source) = (Door::default(), Source::new(100, 0));
    let client = door.client(BearerToken::from_source(source.clone()));
    client.who().await.unwrap();
    *door.refuses.lock().unwrap() = Some("Bearer t1".to_owned());
    for _ in 0..50 {
        assert_eq!(client.who().await.unwrap_err().code(), Code::Unauthenticated);
    }
    assert_eq!(source.fetched(), 1, "it has only just come");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        client.who().await.unwrap_err().code(),
        Code::Unauthenticated,
        "no call is made twice unasked"
    );
    client.who().await.unwrap();
    assert_eq!(source.fetched(), 2);
}

#[tokio::test]
async fn an_async_function_is_a_source() {
    let door = Door::default();
    let client = door.client(BearerToken::from_source(async || Ok(Token::new("from-a-function"))));
    client.who().await.unwrap();
    assert_eq!(door.seen(), ["Bearer from-a-function"]);
}
