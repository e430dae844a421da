//! A scraper.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use farcall::metrics::Prometheus;
use tokio::time::timeout;

/// Far more than anything here takes.
pub const BOUND: Duration = Duration::from_secs(20);

/// The endpoint of this process, with no server in it; its recorder is there once this was called.
pub fn endpoint() -> SocketAddr {
    static ENDPOINT: OnceLock<Prometheus> = OnceLock::new();
    ENDPOINT.get_or_init(|| Prometheus::builder().bind("127.0.0.1:0").unwrap()).address()
}

/// All samples: what stands before the value, and the value.
#[derive(Debug, Default)]
pub struct Scrape {
    pub text: String,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub fn parse(text: &str) -> Self {
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(sample).collect();
        Self { text: text.to_owned(), samples }
    }

    /// The value of one metric with all its labels; 0 where it is not there.
    pub fn get(&self, name: &str) -> f64 {
        self.samples.get(name).copied().unwrap_or(0.0)
    }

    pub fn has(&self, name: &str) -> bool {
        self.samples.contains_key(name)
    }

    /// All that goes by a name, whatever its labels.
    pub fn named(&self, name: &str) -> Vec<(&str, f64)> {
        let is = |sample: &str| sample.split('{').next() == Some(name);
        self.samples
            .iter()
            .filter(|(sample, _)| is(sample))
            .map(|(sample, value)| (&**sample, *value))
            .collect()
    }
}

/// Sends bytes, and returns all that is answered. In a thread of its own: a clock that tests have paused stands still meanwhile.
pub async fn send(address: SocketAddr, bytes: &[u8]) -> String {
    try_send(address, bytes).await.unwrap()
}

/// The same, where the endpoint may have no place.
pub async fn try_send(address: SocketAddr, bytes: &[u8]) -> std::io::Result<String> {
    let bytes = bytes.to_vec();
    let answer = move || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(BOUND))?;
        stream.write_all(&bytes)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    tokio::task::spawn_blocking(answer).await.unwrap()
}

pub async fn scrape(address: SocketAddr) -> Scrape {
    let answer = send(address, b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4"), "{head}");
    Scrape::parse(body)
}

/// Scrapes until something is seen.
pub async fn comes_true(address: SocketAddr, is_true: impl Fn(&Scrape) -> bool) -> Scrape {
    let mut last = Scrape::default();
    let seen = async {
        loop {
            last = scrape(address).await;
            if is_true(&last) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    if timeout(BOUND, seen).await.is_err() {
        panic!("it does not come true:\n{}", last.text);
    }
    last
}
