//! A server in the same process without a socket, and code that does not care which it is given.

use farcall::{Server, Streaming};
use futures::{Stream, StreamExt};

use crate::kit::{self, Bench, LabClient, LabServer, Probe};

#[tokio::test]
async fn a_whole_server_answers_without_a_socket() {
    let probe = Probe::new();
    let service = Server::builder().service(LabServer::new(Bench(probe))).build().unwrap();
    let client = LabClient::new(service);
    assert_eq!(client.divide(8, 2).await.unwrap(), 4);
    let items: Vec<_> = client.count(300).await.unwrap().map(Result::unwrap).collect().await;
    assert!(items.into_iter().eq(0..300));
    assert_eq!(client.sum(1, futures::stream::iter([2u64, 3])).await.unwrap(), 6);
}

#[farcall::service]
trait Store {
    async fn get(&self, key: &str) -> Result<String, kit::LabError>;
    async fn put_all(&self, values: Streaming<String>) -> Result<u64, kit::LabError>;
    async fn list(&self) -> Result<impl Stream<Item = Result<String, kit::LabError>> + Send, kit::LabError>;
}

struct Fake;

impl Store for Fake {
    async fn get(&self, key: &str) -> Result<String, kit::LabError> {
        Ok(key.to_uppercase())
    }

    async fn put_all(&self, values: Streaming<String>) -> Result<u64, kit::LabError> {
        Ok(values.count().await as u64)
    }

    async fn list(&self) -> Result<impl Stream<Item = Result<String, kit::LabError>> + Send, kit::LabError> {
        Ok(futures::stream::iter(["a", "b"]).map(|key| Ok(key.to_owned())))
    }
}

async fn use_it(store: &impl Store) -> (String, u64, usize) {
    let got = store.get("key").await.unwrap();
    let put = store.put_all(Streaming::of(["x".to_owned(), "y".to_owned()])).await.unwrap();
    let listed = store.list().await.unwrap().count().await;
    (got, put, listed)
}

#[tokio::test]
async fn the_same_code_runs_on_the_object_and_on_the_client() {
    let expected = ("KEY".to_owned(), 2, 2);
    assert_eq!(use_it(&Fake).await, expected);
    assert_eq!(use_it(&StoreClient::new(StoreServer::new(Fake))).await, expected);
    let server = Server::builder().service(StoreServer::new(Fake)).bind("mem://").await.unwrap();
    assert_eq!(use_it(&StoreClient::connect(server.uri()).await.unwrap()).await, expected);
}

#[tokio::test]
async fn a_client_that_stands_in_for_the_trait_gives_failed_calls_as_the_methods_error() {
    let server = Server::builder().service(StoreServer::new(Fake)).bind("mem://").await.unwrap();
    let client = StoreClient::connect(server.uri()).await.unwrap();
    server.shutdown().await;
    let error = Store::get(&client, "key").await.unwrap_err();
    assert!(matches!(error, kit::LabError::Rpc(_)), "{error:?}");
}
