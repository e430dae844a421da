//! Whether a server should be called: what is known, what changes, and who hears of it.

use std::time::Duration;

use farcall::admin::{HealthClient, HealthError, HealthReporter, ServingStatus, wait_until_serving};
use farcall::{CallError, Channel, Code, Inspector, Server, ServerBuilder, Streaming};

use crate::kit::{self, Probe, soon};
use ServingStatus::{NotServing, ServiceUnknown, Serving};

pub async fn serve(server: ServerBuilder) -> (Server, HealthClient) {
    let server = server.bind("mem://").await.unwrap();
    let client = HealthClient::connect(server.uri()).await.unwrap();
    (server, client)
}

pub async fn next(changes: &mut Streaming<ServingStatus>) -> ServingStatus {
    soon(changes.next()).await.expect("it goes on").unwrap()
}

async fn check(client: &HealthClient, service: &str) -> Result<ServingStatus, HealthError> {
    soon(client.check(service.to_owned())).await.map_err(|error| error.into_method().unwrap())
}

#[tokio::test]
async fn what_is_known_is_said_and_what_is_not_is_not_found() {
    let health = HealthReporter::new();
    let (_server, client) = serve(Server::builder().service(health.clone())).await;
    assert_eq!(check(&client, "").await, Ok(Serving));
    let unknown = client.check("Lab".into()).await.unwrap_err();
    assert!(matches!(unknown, CallError::Method(HealthError::UnknownService)), "{unknown:?}");
    assert_eq!(unknown.into_method().unwrap().code(), Code::NotFound);
    health.set("Lab", NotServing);
    assert_eq!(check(&client, "Lab").await, Ok(NotServing));
    health.set("Lab", ServiceUnknown);
    assert_eq!(check(&client, "Lab").await, Err(HealthError::UnknownService));
    health.set("", NotServing);
    assert_eq!(check(&client, "").await, Ok(NotServing));
}

#[tokio::test]
async fn the_services_of_a_server_are_as_the_server_unless_they_are_set() {
    let inspector = Inspector::new();
    let health = HealthReporter::new().with_services_of(&inspector);
    assert_eq!(health.status("Lab"), ServiceUnknown, "nothing listens yet");
    let builder = kit::builder(&Probe::new()).service(health.clone()).inspector(&inspector);
    let (_server, client) = serve(builder).await;
    for service in ["", "Lab", "farcall.Health"] {
        assert_eq!(check(&client, service).await, Ok(Serving), "{service}");
    }
    let mut lab = client.watch("Lab".into()).await.unwrap();
    assert_eq!(next(&mut lab).await, Serving);
    health.set("", NotServing);
    assert_eq!(next(&mut lab).await, NotServing);
    health.set("Lab", Serving);
    assert_eq!(next(&mut lab).await, Serving);
    assert_eq!(check(&client, "farcall.Health").await, Ok(NotServing));
    assert_eq!(check(&client, "Shop").await, Err(HealthError::UnknownService));
    health.set_all(NotServing);
    assert_eq!(next(&mut lab).await, NotServing);
}

#[tokio::test]
async fn a_watcher_hears_how_it_is_and_then_each_change() {
    let health = HealthReporter::new();
    let (_server, client) = serve(Server::builder().service(health.clone())).await;
    let mut changes = client.watch("Lab".into()).await.unwrap();
    assert_eq!(next(&mut changes).await, ServiceUnknown);
    for status in [NotServing, Serving, NotServing, ServiceUnknown, Serving] {
        // Neither what concerns others, nor saying the same again, is a change.
        health.set("Shop", status);
        health.set("Lab", status);
        health.set("Lab", status);
        assert_eq!(next(&mut changes).await, status);
    }
}

#[tokio::test]
async fn who_is_slow_hears_the_latest_and_nothing_piles_up() {
    let health = HealthReporter::new();
    let (_server, client) = serve(Server::builder().service(health.clone())).await;
    let mut changes = client.watch(String::new()).await.unwrap();
    assert_eq!(next(&mut changes).await, Serving);
    // On one thread no watcher has its turn in between.
    for _ in 0..10_000 {
        health.set("", NotServing);
        health.set("", Serving);
    }
    health.set("", NotServing);
    assert_eq!(next(&mut changes).await, NotServing);
    health.set("", Serving);
    assert_eq!(next(&mut changes).await, Serving);
}

#[tokio::test]
async fn a_name_that_is_made_up_to_be_kept_is_not_kept() {
    let (_server, client) = serve(Server::builder().service(HealthReporter::new())).await;
    let mut changes = client.watch("x".repeat(2000)).await.unwrap();
    assert_eq!(next(&mut changes).await, ServiceUnknown);
    assert!(soon(changes.next()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_service_serves_wherever_it_was_before() {
    let health = HealthReporter::new();
    let (server, client) = serve(Server::builder().service(health.clone())).await;
    let uri = server.uri().to_owned();
    let waiting = tokio::spawn(async move {
        wait_until_serving(&client, "Lab").await.unwrap();
        client
    });
    health.set("Lab", NotServing);
    soon(client_is_watching(&uri)).await;
    server.shutdown().await;
    assert!(!waiting.is_finished());
    // For a while nobody is there at all; then another server has the address.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let health = HealthReporter::new();
    let _server = Server::builder().service(health.clone()).bind(&uri).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished());
    health.set("Lab", Serving);
    wait_until_serving(&soon(waiting).await.unwrap(), "").await.unwrap();
}

async fn client_is_watching(uri: &str) {
    let client = HealthClient::connect(uri).await.unwrap();
    assert_eq!(check(&client, "Lab").await, Ok(NotServing));
}

#[tokio::test]
async fn a_server_without_health_counts_as_serving() {
    let set = kit::serve().await;
    soon(wait_until_serving(&HealthClient::new(set.channel), "Lab")).await.unwrap();
}

#[tokio::test]
async fn waiting_ends_where_it_cannot_help() {
    let refuse = farcall::layer_fn(|_, _| async {
        Err(farcall::Status::new(Code::PermissionDenied, "not you").into())
    });
    let server = Server::builder().service(HealthReporter::new()).layer(refuse).bind("mem://").await.unwrap();
    let client = HealthClient::new(Channel::connect(server.uri()).await.unwrap());
    let error = soon(wait_until_serving(&client, "")).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
}

#[test]
fn a_status_travels_as_its_name_and_those_of_later_versions_can_be_read() {
    for (status, name) in
        [(Serving, "\"SERVING\""), (NotServing, "\"NOT_SERVING\""), (ServiceUnknown, "\"SERVICE_UNKNOWN\"")]
    {
        assert_eq!(serde_json::to_string(&status).unwrap(), name);
        assert_eq!(serde_json::from_str::<ServingStatus>(name).unwrap(), status);
    }
    assert_eq!(serde_json::from_str::<ServingStatus>("\"RESTING\"").unwrap(), ServingStatus::Other);
}
