//! Testing without a network: code that is generic over the trait runs on a fake, on the real thing, and on a client of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use farcall::{Error, ErrorKind, Server, Streaming, service};
use serde::{Deserialize, Serialize};

/// Why there is no temperature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WeatherError {
    /// Nothing is known about the place.
    UnknownPlace,
    /// The call failed.
    Call(String),
}

/// Because of this the client implements [`Weather`] itself: a failed call has a place in what the trait's methods return.
impl From<Error> for WeatherError {
    fn from(error: Error) -> Self {
        Self::Call(error.code().to_string())
    }
}

impl fmt::Display for WeatherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPlace => f.write_str("nothing is known about the place"),
            Self::Call(why) => write!(f, "the call failed: {why}"),
        }
    }
}

/// Knows temperatures.
#[service]
pub trait Weather {
    /// Returns the temperature in °C.
    async fn temperature(&self, place: &str) -> Result<i32, WeatherError>;
    /// Takes in measurements, and returns how many there were.
    async fn report(&self, place: &str, measured: Streaming<i32>) -> Result<u32, WeatherError>;
}

/// What is to be tested: it neither knows nor cares where the weather comes from.
async fn advice(weather: &impl Weather, place: &str) -> String {
    match weather.temperature(place).await {
        Ok(..=10) => format!("{place}: take a coat"),
        Ok(11..) => format!("{place}: go as you are"),
        Err(error) => format!("{place}: look out of the window, {error}"),
    }
}

/// The real thing.
#[derive(Default)]
struct Station {
    last: Mutex<BTreeMap<String, i32>>,
}

impl Weather for Station {
    async fn temperature(&self, place: &str) -> Result<i32, WeatherError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(place).copied().ok_or(WeatherError::UnknownPlace)
    }

    async fn report(&self, place: &str, mut measured: Streaming<i32>) -> Result<u32, WeatherError> {
        let mut count = 0;
        while let Some(degrees) = measured.next().await {
            let degrees = degrees?;
            self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_owned(), degrees);
            count += 1;
        }
        Ok(count)
    }
}

/// A fake that answers what it is told to.
struct Always(Result<i32, WeatherError>);

impl Weather for Always {
    async fn temperature(&self, _: &str) -> Result<i32, WeatherError> {
        self.0.clone()
    }

    async fn report(&self, _: &str, _: Streaming<i32>) -> Result<u32, WeatherError> {
        Ok(0)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("fake: {}", advice(&Always(Ok(30)), "Rome").await);
    println!("fake: {}", advice(&Always(Err(WeatherError::UnknownPlace)), "Rome").await);

    // A handler can be called as any other object; a list stands in for the stream that a caller would send.
    let station = Station::default();
    println!("real: {:?} reported", station.report("Oslo", Streaming::of([4, 2, -3])).await);
    println!("real: {}", advice(&station, "Oslo").await);

    // Also one that breaks off, which is hard to bring about with a network.
    let lost = Error::new(ErrorKind::ConnectionLost, "the caller is gone");
    let broken = Streaming::new(futures::stream::iter([Ok(12), Err(lost)]));
    println!("real: {:?} reported", station.report("Bergen", broken).await);

    // The client of a server in this process: everything but the sockets.
    let service = Server::builder().service(WeatherServer::new(station)).build()?;
    let client = WeatherClient::new(service);
    println!("in process: {}", advice(&client, "Oslo").await);

    // And over a socket.
    let server =
        Server::builder().service(WeatherServer::new(Always(Ok(8)))).bind("tcp://127.0.0.1:0").await?;
    let client = WeatherClient::connect(server.uri()).await?;
    println!("over tcp: {}", advice(&client, "Paris").await);
    server.shutdown().await;
    println!("over tcp: {}", advice(&client, "Paris").await);
    Ok(())
}
