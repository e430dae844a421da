//! A deadline that is given once holds for all that a call sets off: three servers in a row stop when it has passed.

use std::time::Duration;

use farcall::{CallError, Code, Context, Error, Server, service};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// Why there is no answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OracleError {
    /// The deadline has passed.
    TooLate,
    /// Somebody could not be asked.
    Silent(String),
}

impl From<Error> for OracleError {
    fn from(error: Error) -> Self {
        match error.code() {
            Code::DeadlineExceeded => Self::TooLate,
            _ => Self::Silent(error.to_string()),
        }
    }
}

impl From<CallError<OracleError>> for OracleError {
    fn from(error: CallError<OracleError>) -> Self {
        error.into_method().unwrap_or_else(Self::from)
    }
}

/// Answers questions, or asks somebody else.
#[service]
pub trait Oracle {
    /// Answers.
    async fn ask(&self, question: &str) -> Result<String, OracleError>;
}

struct Hop {
    name: &'static str,
    /// Whom it asks; nobody, at the end of the row.
    next: Option<OracleClient>,
    log: mpsc::UnboundedSender<String>,
}

impl Oracle for Hop {
    async fn ask(&self, question: &str) -> Result<String, OracleError> {
        let context = Context::current();
        let time = match context.time_left() {
            Some(left) if left <= Duration::from_millis(50) => "at most 50 ms left",
            Some(_) => "more than 50 ms left",
            None => "all the time in the world",
        };
        let (tenant, secret) = (context.metadata().text("tenant"), context.metadata().text("secret"));
        self.note(format!("{}: tenant {tenant:?}, secret {secret:?}, {time}", self.name));
        let mut end = End { hop: self, is_answered: false };
        // Nothing is passed along here: the call inherits from the one that is being answered.
        let answer = match &self.next {
            Some(next) => next.ask(question).await?,
            None if question == "easy" => "42".to_owned(),
            None => std::future::pending().await,
        };
        end.is_answered = true;
        Ok(answer)
    }
}

impl Hop {
    fn note(&self, line: String) {
        // Nobody listens once the example is over.
        let _ = self.log.send(line);
    }
}

/// Says that a handler ended without an answer, dropped or not.
struct End<'a> {
    hop: &'a Hop,
    is_answered: bool,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.hop.note(format!("{}: stopped", self.hop.name));
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (log, mut lines) = mpsc::unbounded_channel();
    let mut servers: Vec<Server> = Vec::new();
    for name in ["leaf", "middle", "front"] {
        let next = match servers.last() {
            Some(server) => Some(OracleClient::connect(server.uri()).await?),
            None => None,
        };
        let hop = Hop { name, next, log: log.clone() };
        servers.push(Server::builder().service(OracleServer::new(hop)).bind("tcp://127.0.0.1:0").await?);
    }
    let front = OracleClient::connect(servers[2].uri()).await?;

    println!("easy: {:?}", front.ask("easy").await.map_err(OracleError::from));
    let call = front
        .ask("hard")
        .timeout(Duration::from_millis(50))
        .propagate("tenant", "a1") // goes along with the calls that the handler makes in turn
        .metadata("secret", "for the front only");
    println!("hard: {:?}", call.await.map_err(OracleError::from));

    for server in servers {
        server.shutdown().await;
    }
    drop(log);
    let mut stopped = Vec::new();
    // It ends when the last handler is gone.
    while let Some(line) = lines.recv().await {
        match line.ends_with("stopped") {
            true => stopped.push(line),
            false => println!("  {line}"),
        }
    }
    // Each server goes by its own clock, so they stop in any order.
    stopped.sort_unstable();
    stopped.iter().for_each(|line| println!("  {line}"));
    Ok(())
}
