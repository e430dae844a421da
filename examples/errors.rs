//! What can go wrong with a call: the method's own error, a call that fails on its way, and a handler that panics.

use std::fmt;

use farcall::{CallError, Channel, Error, Server, Status, service};
use serde::{Deserialize, Serialize};

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MathError {
    /// Nothing can be divided by zero.
    DivisionByZero,
    /// The result does not fit.
    Overflow {
        /// What was calculated.
        operation: String,
    },
}

impl fmt::Display for MathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DivisionByZero => f.write_str("nothing can be divided by zero"),
            Self::Overflow { operation } => write!(f, "{operation} does not fit into 64 bits"),
        }
    }
}

impl std::error::Error for MathError {}

/// Calculates.
#[service]
pub trait Maths {
    /// Divides `a` by `b`.
    async fn divide(&self, a: i64, b: i64) -> Result<i64, MathError>;
    /// Returns the item at `index` of 1, 1, 2, 3, 5; a careless handler panics where it has no more.
    async fn fibonacci(&self, index: usize) -> u64;
}

struct Calculator;

impl Maths for Calculator {
    async fn divide(&self, a: i64, b: i64) -> Result<i64, MathError> {
        if b == 0 {
            return Err(MathError::DivisionByZero);
        }
        a.checked_div(b).ok_or_else(|| MathError::Overflow { operation: format!("{a} / {b}") })
    }

    async fn fibonacci(&self, index: usize) -> u64 {
        [1, 1, 2, 3, 5][index]
    }
}

/// The same service in a version that the server does not have yet.
mod newer {
    /// Calculates more.
    #[farcall::service(name = "Maths")]
    pub(crate) trait Maths {
        /// Takes the square root of `a`.
        async fn root(&self, a: f64) -> f64;
    }
}

/// Shows what a program can ask of an error; its text is for people.
fn show(what: &str, error: &Error) {
    println!(
        "{what}: {:?}, code {}, fate {:?}, retryable: {}",
        error.kind(),
        error.code(),
        error.fate(),
        error.is_retryable()
    );
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = Server::builder().service(MathsServer::new(Calculator)).bind("tcp://127.0.0.1:0").await?;
    let channel = Channel::connect(server.uri()).await?;
    let maths = MathsClient::new(channel.clone());

    println!("7 / 2 = {}", maths.divide(7, 2).await?);

    // A method's own error arrives as itself, beside what can go wrong with any call.
    for (a, b) in [(7, 0), (i64::MIN, -1)] {
        match maths.divide(a, b).await {
            Ok(quotient) => println!("{a} / {b} = {quotient}"),
            Err(CallError::Method(MathError::DivisionByZero)) => println!("{a} / {b}: division by zero"),
            Err(CallError::Method(error)) => println!("{a} / {b}: {error}"),
            Err(CallError::Rpc(error)) => show("the call failed", &error),
        }
    }

    // A handler that panics fails its own call; the other one, on the same connection, does not notice.
    let (item, panicked) = tokio::join!(maths.fibonacci(4), maths.fibonacci(5));
    println!("fibonacci(4) = {}", item?);
    if let Err(error) = panicked {
        show("fibonacci(5)", &error);
    }

    if let Err(error) = newer::MathsClient::new(channel).root(2.0).await {
        show("an unknown method", &error);
        println!("  the server says: {}", error.status().map_or("nothing", Status::message));
    }

    // Nobody listens any more. No byte was sent, so the same call may be made again, here or elsewhere.
    let uri = server.uri().to_owned();
    server.shutdown().await;
    let maths = MathsClient::new(Channel::builder(uri).lazy()?);
    match maths.divide(7, 2).await {
        Err(CallError::Rpc(error)) => show("an unreachable server", &error),
        other => anyhow::bail!("the server should be gone, and it answered {other:?}"),
    }
    Ok(())
}
