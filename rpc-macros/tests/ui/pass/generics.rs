#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

use std::fmt::Debug;
use std::hash::Hash;

use farcall::{Router, Service, service};
use futures::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[service]
pub trait Store<K, V = String>: Debug
where
    K: Hash + Eq + Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: Clone,
    Vec<V>: Clone,
{
    async fn get(&self, key: K) -> Option<V>;
    async fn many(&self, keys: Vec<K>) -> Result<Vec<V>, String>;
    fn all(&self) -> impl Stream<Item = (K, V)> + Send;
    async fn watch(&self, key: &str) -> Result<impl Stream<Item = Result<V, String>> + Send, String>;
}

#[service]
pub trait Unused<A, B: ?Sized, const N: usize = 3> {
    async fn count(&self) -> usize;
    async fn size(&self) -> Result<usize, String>;
}

#[service]
pub trait OwnError<E> {
    async fn run(&self) -> Result<(), E>;
    async fn watch(&self) -> Result<impl Stream<Item = Result<u8, E>> + Send, E>;
}

#[service]
pub trait Projected<I: Iterator>
where
    I::Item: Clone,
{
    async fn next(&self, last: I::Item) -> Option<I::Item>;
}

// All that is implemented can be used where the parameters are not known.
pub async fn generic<K, V, T, S>(server: StoreServer<K, V, T>, client: StoreClient<K, V, S>) -> Option<V>
where
    K: Hash + Eq + Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    T: Store<K, V>,
    S: Service,
    K: From<u8>,
{
    let _ = Router::new().with(server);
    let request: StoreRequest<'_, K, V> = StoreRequest::Get { key: K::from(1) };
    match &request {
        StoreRequest::Get { key } => drop(key.clone()),
        StoreRequest::Many { .. } | StoreRequest::All | StoreRequest::Watch { .. } => {}
        StoreRequest::__Unused(..) => {}
    }
    match request {
        StoreRequest::Get { .. } => {}
        StoreRequest::Many { .. } | StoreRequest::All | StoreRequest::Watch { .. } => {}
    }
    client.get(K::from(1)).await.ok().flatten()
}

fn is_own_error<T: OwnError<Fault>>(_: &T) {}

fn main() {
    is_own_error(&OwnErrorClient::<Fault, _>::new(Router::new()));
    let _ = UnusedClient::<u8, str, 4, _>::new(Router::new());
}
