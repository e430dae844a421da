//! Records what a server is asked and answers, and replays it on a fresh one: the messages of a service are values.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use farcall::{CallError, Error, Next, Request, Response, Server, layer_fn, service};
use serde::{Deserialize, Serialize};

/// Why money was not moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is not enough of it.
    TooPoor {
        /// How much there is.
        cents: i64,
    },
}

/// Keeps accounts.
#[service]
pub trait Ledger {
    /// Pays into an account, and returns what is in it then.
    async fn deposit(&self, account: String, cents: i64) -> i64;
    /// Pays from an account, and returns what is in it then.
    async fn withdraw(&self, account: String, cents: i64) -> Result<i64, LedgerError>;
}

#[derive(Default)]
struct Book {
    accounts: Mutex<BTreeMap<String, i64>>,
    /// Lets accounts be overdrawn by so much, as of the next version.
    overdraft_cents: i64,
}

impl Ledger for Book {
    async fn deposit(&self, account: String, cents: i64) -> i64 {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let balance = accounts.entry(account).or_default();
        *balance += cents;
        *balance
    }

    async fn withdraw(&self, account: String, cents: i64) -> Result<i64, LedgerError> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let balance = accounts.entry(account).or_default();
        if *balance + self.overdraft_cents < cents {
            return Err(LedgerError::TooPoor { cents: *balance });
        }
        *balance -= cents;
        Ok(*balance)
    }
}

/// One call, as a line of JSON.
#[derive(Serialize, Deserialize)]
struct Recorded {
    request: LedgerRequest,
    response: LedgerResponse,
}

/// A server appends each call to the recording, in the order in which the calls were answered.
#[derive(Clone)]
struct Recorder(Arc<Mutex<File>>);

impl Recorder {
    async fn call(self, request: Request, next: Next) -> Result<Response, Error> {
        let method = request.method();
        let question: LedgerRequest = request.message()?;
        let response = next.call(request).await?;
        let answer: LedgerResponse = response.message(method)?;
        if let Err(error) = self.write(&Recorded { request: question, response: answer }) {
            // The call was answered, whether it is on record or not.
            eprintln!("a call was not recorded: {error}");
        }
        Ok(response)
    }

    fn write(&self, recorded: &Recorded) -> anyhow::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(writeln!(file, "{}", serde_json::to_string(recorded)?)?)
    }
}

async fn record(path: &Path) -> anyhow::Result<()> {
    let recorder = Recorder(Arc::new(Mutex::new(File::create(path)?)));
    let server = Server::builder()
        .service(LedgerServer::new(Book::default()))
        .layer(layer_fn(move |request, next| recorder.clone().call(request, next)))
        .bind("tcp://127.0.0.1:0")
        .await?;
    let ledger = LedgerClient::connect(server.uri()).await?;
    ledger.deposit("ada".into(), 500).await?;
    for cents in [200, 400] {
        // That it is refused is as good an answer as any.
        if let Err(CallError::Rpc(error)) = ledger.withdraw("ada".into(), cents).await {
            return Err(error.into());
        }
    }
    ledger.deposit("bob".into(), 7).await?;
    server.shutdown().await;
    Ok(())
}

/// Runs what was recorded on another server, without a socket, and tells where its answers differ.
async fn replay(path: &Path, server: LedgerServer<Book>) -> anyhow::Result<()> {
    for line in BufReader::new(File::open(path)?).lines() {
        let Recorded { request, response } = serde_json::from_str(&line?)?;
        let now = server.run(request.clone()).await;
        let is_same = serde_json::to_value(&now)? == serde_json::to_value(&response)?;
        match is_same {
            true => println!("  same: {request:?}"),
            false => println!("  DIFFERS: {request:?} gave {response:?} and gives {now:?}"),
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("calls.jsonl");
    record(&path).await?;
    println!("recorded:");
    for line in std::fs::read_to_string(&path)?.lines() {
        println!("  {line}");
    }
    println!("replayed on the same version:");
    replay(&path, LedgerServer::new(Book::default())).await?;
    println!("replayed on the next version:");
    replay(&path, LedgerServer::new(Book { overdraft_cents: 200, ..Book::default() })).await?;
    Ok(())
}
