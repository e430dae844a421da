#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;

use farcall::{Streaming, service};
use fault::Fault;
use futures::stream::{self, Stream, StreamExt};

pub type Result<T, E = Fault> = std::result::Result<T, E>;

#[service]
pub trait Streams {
    fn plain(&self, from: u8) -> impl Stream<Item = u8> + Send;
    fn results(&self) -> impl Send + futures::Stream<Item = Result<u8>>;
    fn borrows(&self, text: &str) -> impl Stream<Item = String> + Send;
    async fn later(&self) -> impl Stream<Item = Result<u8, String>> + Send;
    async fn maybe(&self) -> Result<impl Stream<Item = u8> + Send>;
    async fn both_fail(&self) -> std::result::Result<impl Stream<Item = Result<u8>> + Send, String>;
    async fn upload(&self, name: &str, bytes: &[u8], items: Streaming<Vec<u8>>) -> u8;
    async fn only(&self, items: farcall::Streaming<Vec<u8>>);
    async fn chat(&self, items: Streaming<u8>) -> Result<impl Stream<Item = u8> + Send>;
    fn chat_at_once(&self, items: Streaming<u8>) -> impl Stream<Item = u8> + Send;
    async fn default(&self) -> Result<impl Stream<Item = u8> + Send> {
        Ok(stream::empty())
    }
    fn default_at_once(&self, from: u8) -> impl Stream<Item = u8> + Send {
        stream::iter(from..)
    }
}

struct Real(Vec<u8>);

impl Streams for Real {
    fn plain(&self, from: u8) -> impl Stream<Item = u8> + Send {
        stream::iter(self.0.iter().copied().filter(move |item| *item > from))
    }
    fn results(&self) -> impl Stream<Item = Result<u8>> + Send {
        stream::empty()
    }
    fn borrows(&self, text: &str) -> impl Stream<Item = String> + Send {
        stream::iter(text.chars().map(String::from))
    }
    async fn later(&self) -> impl Stream<Item = Result<u8, String>> + Send {
        stream::empty()
    }
    async fn maybe(&self) -> Result<impl Stream<Item = u8> + Send> {
        Ok(stream::iter(&self.0).map(|item| *item))
    }
    async fn both_fail(&self) -> std::result::Result<impl Stream<Item = Result<u8>> + Send, String> {
        Ok(stream::empty())
    }
    async fn upload(&self, _: &str, _: &[u8], items: Streaming<Vec<u8>>) -> u8 {
        items.count().await as u8
    }
    async fn only(&self, _: Streaming<Vec<u8>>) {}
    async fn chat(&self, items: Streaming<u8>) -> Result<impl Stream<Item = u8> + Send> {
        Ok(items.filter_map(|item| async { item.ok() }))
    }
    fn chat_at_once(&self, items: Streaming<u8>) -> impl Stream<Item = u8> + Send {
        items.filter_map(|item| async { item.ok() })
    }
}

fn is_static<T: Send + 'static>(_: T) {}

fn main() {
    let client = StreamsClient::new(StreamsServer::new(Real(vec![1])));
    is_static(client.borrows(&String::from("a")));
    is_static(client.upload(&String::new(), &[1], stream::empty()));
}
