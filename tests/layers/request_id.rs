//! `RequestId`: taken or made, passed on, and given back.

use farcall::layers::RequestId;
use farcall::{Channel, Context, Layer, Server, service};

#[service]
trait Relay {
    /// The ids that the servers in a row have seen.
    async fn ids(&self) -> Vec<String>;
}

struct Hop(Option<RelayClient>);

impl Relay for Hop {
    async fn ids(&self) -> Vec<String> {
        let own = Context::current().metadata().text("request-id").unwrap_or("none").to_owned();
        let further = match &self.0 {
            Some(next) => next.ids().await.unwrap(),
            None => Vec::new(),
        };
        [own].into_iter().chain(further).collect()
    }
}

async fn two_hops() -> (RelayClient, Vec<Server>) {
    let last = Server::builder().service(RelayServer::new(Hop(None))).bind("mem://").await.unwrap();
    let next = RelayClient::connect(last.uri()).await.unwrap();
    let first = Server::builder().service(RelayServer::new(Hop(Some(next)))).layer(RequestId::new());
    let first = first.bind("mem://").await.unwrap();
    (RelayClient::connect(first.uri()).await.unwrap(), vec![first, last])
}

#[tokio::test]
async fn an_id_is_made_and_goes_on_and_comes_back() {
    let (client, _servers) = two_hops().await;
    let (ids, metadata) = client.ids().with_response_metadata().await.unwrap();
    let id = metadata.text("request-id").unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(ids, [id, id]);
    let (others, _) = client.ids().with_response_metadata().await.unwrap();
    assert_ne!(ids, others);
}

#[tokio::test]
async fn the_callers_id_is_taken_where_it_is_one() {
    let (client, _servers) = two_hops().await;
    assert_eq!(client.ids().metadata("request-id", "abc-1").await.unwrap(), ["abc-1", "abc-1"]);
    for bad in ["", "two words", "line\nbreak", &"x".repeat(129)] {
        let ids = client.ids().metadata("request-id", bad).await.unwrap();
        assert_eq!([ids[0].len(), ids[1].len()], [32, 32], "{bad:?} is replaced");
    }
}

#[tokio::test]
async fn on_a_client_it_gives_each_call_an_id() {
    let last = Server::builder().service(RelayServer::new(Hop(None))).bind("mem://").await.unwrap();
    let channel = Channel::connect(last.uri()).await.unwrap();
    let client = RelayClient::new(RequestId::new().layer(channel));
    let (ids, metadata) = client.ids().with_response_metadata().await.unwrap();
    assert_eq!(metadata.text("request-id"), Some(&*ids[0]));
    assert_eq!(ids[0].len(), 32);
}
