//! Services of all shapes, through generated clients and servers, in one process.

#![deny(warnings, missing_docs, clippy::all, unreachable_pub, unused_qualifications)]

use std::sync::Mutex;
use std::time::Duration;

use farcall::{CallError, Error, ErrorKind, MethodKind, Router, Streaming, service};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Fault {
    /// The key is not there.
    Missing,
    /// The call itself failed.
    Rpc(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Rpc(error.to_string())
    }
}

type Result<T, E = Fault> = std::result::Result<T, E>;

/// A service with a method of each shape.
#[service(name = "shapes", version = 2)]
pub trait Shapes {
    /// Adds.
    async fn add(&self, a: i64, b: i64) -> i64;

    /// Divides.
    #[rpc(idempotent, timeout = "2s")]
    async fn divide(&self, a: i64, b: i64) -> Result<i64>;

    /// Keeps a value.
    async fn put(&self, key: &str, value: &[u8]) -> Result<u64, Fault>;

    /// Does nothing.
    async fn nothing(&self);

    /// Notes something, and nobody waits for it.
    #[rpc(oneway, name = "noted", id = 7)]
    async fn note(&self, text: String);

    /// Counts.
    fn count(&self, to: u32) -> impl Stream<Item = u32> + Send;

    /// Counts, later.
    async fn count_later(&self, to: u32) -> impl Stream<Item = Result<u32>> + Send;

    /// Watches a key.
    async fn watch(&self, key: String) -> Result<impl Stream<Item = Result<String>> + Send>;

    /// Sums.
    async fn sum(&self, first: u32, rest: Streaming<u32>) -> Result<u32, Fault>;

    /// Says everything again.
    async fn echo(&self, said: Streaming<String>) -> Result<impl Stream<Item = String> + Send, Fault>;

    /// Greets, unless the handler does it better.
    async fn greet(&self, name: &str) -> String {
        let greeting = "Hello";
        format!("{greeting}, {name}!")
    }

    /// Is no longer used.
    #[deprecated = "use add"]
    async fn plus(&self, a: i64, b: i64) -> i64 {
        self.add(a, b).await
    }

    /// Is not there.
    #[cfg(any())]
    async fn absent(&self, what: Absent) -> Result<Missing, Gone>;
}

#[derive(Default)]
struct Real {
    notes: Mutex<Vec<String>>,
}

impl Shapes for Real {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }

    async fn divide(&self, a: i64, b: i64) -> Result<i64> {
        a.checked_div(b).ok_or(Fault::Missing)
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<u64, Fault> {
        if key.is_empty() { Err(Fault::Missing) } else { Ok(value.len() as u64) }
    }

    async fn nothing(&self) {}

    async fn note(&self, text: String) {
        self.notes.lock().unwrap().push(text);
    }

    fn count(&self, to: u32) -> impl Stream<Item = u32> + Send {
        stream::iter(0..to)
    }

    async fn count_later(&self, to: u32) -> impl Stream<Item = Result<u32>> + Send {
        stream::iter(0..to).map(Ok)
    }

    async fn watch(&self, key: String) -> Result<impl Stream<Item = Result<String>> + Send> {
        if key.is_empty() {
            return Err(Fault::Missing);
        }
        Ok(stream::iter([Ok(key), Err(Fault::Missing)]))
    }

    async fn sum(&self, first: u32, mut rest: Streaming<u32>) -> Result<u32, Fault> {
        let mut sum = first;
        while let Some(part) = rest.next().await {
            sum += part?;
        }
        Ok(sum)
    }

    async fn echo(&self, said: Streaming<String>) -> Result<impl Stream<Item = String> + Send, Fault> {
        Ok(said.map(std::result::Result::unwrap))
    }
}

fn client() -> ShapesClient<Router> {
    ShapesClient::new(Router::new().with(ShapesServer::new(Real::default())).unwrap())
}

#[tokio::test]
async fn calls_of_all_shapes_are_answered() {
    let client = client();
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    assert_eq!(client.divide(6, 2).await.unwrap(), 3);
    assert!(matches!(client.divide(1, 0).await, Err(CallError::Method(Fault::Missing))));
    assert_eq!(client.put("k", b"123").timeout(Duration::from_secs(1)).await.unwrap(), 3);
    client.nothing().await.unwrap();
    client.note("a".into()).await.unwrap();
    assert_eq!(client.greet("Ada").await.unwrap(), "Hello, Ada!");
    let count: Vec<_> = client.count(3).await.unwrap().map(std::result::Result::unwrap).collect().await;
    assert_eq!(count, [0, 1, 2]);
    let later: Vec<_> = client.count_later(2).await.unwrap().map(std::result::Result::unwrap).collect().await;
    assert_eq!(later, [0, 1]);
    let watched: Vec<_> = client.watch("k".into()).await.unwrap().collect().await;
    assert!(matches!(&watched[..], [Ok(key), Err(CallError::Method(Fault::Missing))] if key == "k"));
    assert!(matches!(client.watch(String::new()).await, Err(CallError::Method(Fault::Missing))));
    assert_eq!(client.sum(1, stream::iter([2, 3])).await.unwrap(), 6);
    let said = stream::iter(["a".to_owned(), "b".to_owned()]);
    let echoed: Vec<_> = client.echo(said).await.unwrap().map(std::result::Result::unwrap).collect().await;
    assert_eq!(echoed, ["a", "b"]);
}

#[test]
fn a_trait_is_described() {
    let service = ShapesClient::DESCRIPTOR;
    assert!(std::ptr::eq(service, ShapesServer::<Real>::DESCRIPTOR));
    assert_eq!((service.name(), service.version()), ("shapes", "2"));
    assert_eq!(service.docs(), "A service with a method of each shape.");
    let names: Vec<_> = service.methods().iter().map(|method| method.name()).collect();
    let expected = [
        "add",
        "divide",
        "put",
        "nothing",
        "noted",
        "count",
        "count_later",
        "watch",
        "sum",
        "echo",
        "greet",
        "plus",
    ];
    assert_eq!(names, expected);
    let method = |name| *service.methods().iter().find(|method| method.name() == name).unwrap();
    assert!(method("divide").is_idempotent());
    assert_eq!(method("divide").timeout(), Some(Duration::from_secs(2)));
    assert_eq!(method("divide").docs(), "Divides.");
    assert_eq!(method("divide").output(), "Result<i64>");
    assert!(method("noted").is_oneway());
    assert_eq!(method("noted").id().as_u64(), 7);
    assert_eq!(method("put").args(), ["key", "value"]);
    assert_eq!(method("put").arg_types(), ["&str", "&[u8]"]);
    assert_eq!(method("sum").args(), ["first"]);
    assert_eq!(method("sum").kind(), MethodKind::ClientStreaming);
    assert_eq!(method("count").kind(), MethodKind::ServerStreaming);
    assert_eq!(method("echo").kind(), MethodKind::Bidirectional);
    assert_eq!(method("watch").output(), "Result<impl Stream<Item = Result<String>> + Send>");
}

#[tokio::test]
async fn a_recorded_request_can_be_run_again() {
    let recorded = serde_json::to_string(&ShapesRequest::Add { a: 1, b: 2 }).unwrap();
    assert_eq!(recorded, r#"{"add":{"a":1,"b":2}}"#);
    let server = ShapesServer::new(Real::default());
    let response = server.run(serde_json::from_str(&recorded).unwrap()).await;
    assert!(matches!(response, ShapesResponse::Add(3)));
    let written = serde_json::to_string(&response).unwrap();
    assert!(matches!(serde_json::from_str(&written).unwrap(), ShapesResponse::Add(3)));
    let put = ShapesRequest::Put { key: "k".into(), value: b"v"[..].into() };
    assert_eq!(format!("{:?}", put.clone()), r#"Put { key: "k", value: [118] }"#);
    assert_eq!(format!("{:?}", server.run(put).await.clone()), "Put(Ok(1))");
    let response = server.run(ShapesRequest::Divide { a: 1, b: 0 }).await;
    assert_eq!(serde_json::to_string(&response).unwrap(), r#"{"divide":{"Err":"Missing"}}"#);
    assert_eq!(format!("{:?}", ShapesRequest::Nothing), "Nothing");
    let sum = server.run(ShapesRequest::Sum { first: 1 }).await;
    assert!(matches!(sum, ShapesResponse::Sum(Err(Fault::Rpc(_)))));
}

#[tokio::test]
async fn a_server_of_another_version_says_what_it_lacks() {
    mod older {
        #[farcall::service(name = "shapes")]
        pub(crate) trait Older {
            async fn add(&self, a: i64, b: i64) -> i64;
        }
        pub(crate) struct Real;
        impl Older for Real {
            async fn add(&self, a: i64, b: i64) -> i64 {
                a - b
            }
        }
    }
    let client = ShapesClient::new(Router::new().with(older::OlderServer::new(older::Real)).unwrap());
    assert_eq!(client.add(3, 1).await.unwrap(), 2);
    let error = client.greet("Ada").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Status);
    assert!(error.to_string().contains("greet"), "{error}");
}

/// A service whose client can stand in for a handler.
#[service(rename_all = "kebab-case")]
pub trait Store<V>
where
    V: Clone + Send + Sync,
{
    /// Reads.
    async fn read_value(&self, key: &str) -> std::result::Result<V, Fault>;
    /// Writes.
    async fn write(&self, key: String, value: V) -> Result<()>;
    /// Reads many.
    async fn all(&self, mut keys: Streaming<String>) -> Result<Vec<V>> {
        let mut all = Vec::new();
        while let Some(key) = keys.next().await {
            all.push(self.read_value(&key?).await?);
        }
        Ok(all)
    }
    /// Watches.
    fn changes(&self) -> impl Stream<Item = Result<V>> + Send;
    /// Watches one key.
    async fn changes_of(&self, key: String) -> Result<impl Stream<Item = Result<V>> + Send, Fault>;
}

struct Shelf<V>(Mutex<Vec<(String, V)>>);

impl<V: Clone + Send + Sync + 'static> Store<V> for Shelf<V> {
    async fn read_value(&self, key: &str) -> std::result::Result<V, Fault> {
        let shelf = self.0.lock().unwrap();
        shelf.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone()).ok_or(Fault::Missing)
    }

    async fn write(&self, key: String, value: V) -> Result<()> {
        self.0.lock().unwrap().push((key, value));
        Ok(())
    }

    fn changes(&self) -> impl Stream<Item = Result<V>> + Send {
        let values: Vec<_> = self.0.lock().unwrap().iter().map(|(_, value)| Ok(value.clone())).collect();
        stream::iter(values)
    }

    async fn changes_of(&self, key: String) -> Result<impl Stream<Item = Result<V>> + Send, Fault> {
        let value = self.read_value(&key).await?;
        Ok(stream::iter([Ok(value)]))
    }
}

async fn use_store(store: &impl Store<u8>) {
    store.write("a".into(), 1).await.unwrap();
    store.write("b".into(), 2).await.unwrap();
    assert_eq!(store.read_value("b").await, Ok(2));
    assert_eq!(store.read_value("c").await, Err(Fault::Missing));
    let keys = Streaming::of(["a".to_owned(), "b".to_owned()]);
    assert_eq!(store.all(keys).await, Ok(vec![1, 2]));
    let changes: Vec<_> = store.changes().collect().await;
    assert_eq!(changes, [Ok(1), Ok(2)]);
    let changes: Vec<_> = store.changes_of("b".into()).await.unwrap().collect().await;
    assert_eq!(changes, [Ok(2)]);
}

#[tokio::test]
async fn code_generic_over_a_trait_runs_on_a_handler_and_on_a_client() {
    use_store(&Shelf(Mutex::default())).await;
    let client = StoreClient::<u8, _>::new(StoreServer::new(Shelf::<u8>(Mutex::default())));
    use_store(&client.clone()).await;
    assert_eq!(StoreClient::<u8>::DESCRIPTOR.methods()[0].name(), "read-value");
    assert_eq!(format!("{client:?}"), "StoreClient { .. }");
}

#[tokio::test]
async fn a_call_that_fails_becomes_the_error_of_the_trait() {
    let nobody: StoreClient<u8, _> = StoreClient::new(Router::new());
    let error = Store::read_value(&nobody, "a").await.unwrap_err();
    assert!(matches!(error, Fault::Rpc(_)));
    let items: Vec<_> = Store::changes(&nobody).collect().await;
    assert!(matches!(items[..], [Err(Fault::Rpc(_))]));
}
