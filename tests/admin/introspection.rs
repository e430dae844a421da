//! Seeing into a server from elsewhere: what is shown, how much of it, and to whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use farcall::admin::{HealthClient, HealthReporter, IntrospectionClient, IntrospectionError, Introspector};
use farcall::layers::auth::{Authenticate, Tokens};
use farcall::{Caller, Channel, Code, Handler, Inspector, Limits, Server};
use futures::future::join_all;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;

use crate::kit::{self, LabClient, Set, soon};

/// A server, and an address of its own for operators, so that they do not see themselves.
pub async fn serve() -> (Set, IntrospectionClient, Server) {
    let inspector = Inspector::new();
    let set = kit::serve_with("mem://", |server| server.inspector(&inspector), Limits::default()).await;
    let (client, admin) = admin(Introspector::new(&inspector)).await;
    (set, client, admin)
}

async fn admin(introspector: Introspector) -> (IntrospectionClient, Server) {
    let admin = Server::builder().service(introspector).bind("mem://").await.unwrap();
    (IntrospectionClient::connect(admin.uri()).await.unwrap(), admin)
}

#[tokio::test]
async fn the_server_is_shown_with_its_limits_and_what_calls_wait_for() {
    let (set, client, _admin) = serve().await;
    let hanging = join_all((0..3).map(|_| set.client.hang()));
    let hanging = tokio::spawn(hanging);
    set.probe.wait(|counts| counts.started == 3).await;
    let info = client.server().await.unwrap();
    assert_eq!(info.uris, set.server.uris());
    assert_eq!((&info.services[..], &info.layers[..]), (&["Lab".to_owned()][..], set.server.describe()));
    assert_eq!((info.calls, info.failures, info.connections_opened, info.is_leaving), (3, 0, 1, false));
    assert_eq!(info.waiting, BTreeMap::from([("handler".to_owned(), 3)]));
    let limits: Vec<_> = info.limits.iter().map(|limit| (&*limit.name, limit.used, limit.max)).collect();
    assert_eq!(
        limits,
        [("connections", 1, 10_000), ("oneway_calls", 0, 10_000), ("calls_in_flight", 3, 1024)]
    );
    hanging.abort();
}

#[tokio::test]
async fn the_oldest_calls_are_shown_and_the_others_counted() {
    let (set, client, _admin) = serve().await;
    let second = LabClient::connect(set.server.uri()).await.unwrap();
    let hanging: Vec<_> = (0..1100)
        .map(|number| tokio::spawn(if number < 600 { set.client.hang() } else { second.hang() }))
        .collect();
    set.probe.wait(|counts| counts.started == 1100).await;
    let list = client.calls(Duration::ZERO).await.unwrap();
    assert_eq!((list.calls.len(), list.left_out), (1000, 100));
    assert!(list.calls.is_sorted_by(|a, b| a.age >= b.age));
    assert!(list.calls.iter().all(|call| call.method == "Lab/hang" && call.waits_for == "handler"));
    assert!(list.calls.iter().all(|call| call.peer.starts_with("mem://")));
    let none = client.calls(Duration::from_secs(3600)).await.unwrap();
    assert_eq!((none.calls.len(), none.left_out), (0, 0));
    hanging.iter().for_each(|call| call.abort());
}

#[tokio::test]
async fn connections_come_in_pages() {
    let (set, client, _admin) = serve().await;
    let uri = set.server.uri();
    let more = join_all((0..1004).map(|_| Channel::connect(uri))).await;
    assert!(more.iter().all(Result::is_ok));
    let first = client.connections(0).await.unwrap();
    assert_eq!((first.connections.len(), first.left_out), (1000, 5));
    assert!(first.connections.is_sorted_by(|a, b| a.number < b.number));
    let last = first.connections.last().unwrap();
    assert_eq!((last.calls, last.calls_max), (0, 1024));
    let rest = client.connections(last.number).await.unwrap();
    assert_eq!((rest.connections.len(), rest.left_out), (5, 0));
    assert!(rest.connections[0].number > last.number && rest.connections[0].received_bytes > 0);
    assert!(client.connections(u64::MAX).await.unwrap().connections.is_empty());
    assert_eq!(client.server().await.unwrap().connections_opened, 1005);
}

#[tokio::test]
async fn failures_are_shown() {
    let (set, client, _admin) = serve().await;
    set.client.boom().await.unwrap_err();
    let [failure] = &client.failures().await.unwrap()[..] else { panic!("one has failed") };
    assert_eq!((&*failure.method, &*failure.code), ("Lab/boom", "INTERNAL"));
    assert!(failure.text.contains("panicked") && failure.peer.starts_with("mem://"));
}

#[tokio::test]
async fn connections_that_have_ended_are_shown_with_the_reason() {
    let (set, client, _admin) = serve().await;
    for number in 2..100 {
        drop(Channel::connect(set.server.uri()).await.unwrap());
        while client.ended().await.unwrap().last().is_none_or(|ended| ended.number < number) {
            tokio::task::yield_now().await;
        }
    }
    let ended = client.ended().await.unwrap();
    assert_eq!((ended.len(), ended[0].number, ended[63].number), (64, 36, 99));
    assert!(ended.iter().all(|ended| ended.reason == "the peer closed the connection"), "{ended:?}");
    assert!(ended.iter().all(|ended| ended.peer.starts_with("mem://")));
}

#[tokio::test]
async fn versions_are_named() {
    let (_set, _, _admin) = serve().await;
    let (client, _admin) = admin(Introspector::new(&Inspector::new()).version("shop", "1.4.2")).await;
    let versions = client.versions().await.unwrap();
    for (name, version) in [("shop", "1.4.2"), ("protocol", "1.0"), ("farcall", env!("CARGO_PKG_VERSION"))] {
        assert_eq!(versions.get(name).map(String::as_str), Some(version), "{name}");
    }
}

#[tokio::test]
async fn an_inspector_that_no_server_has_is_an_error_that_says_so() {
    let (client, _admin) = admin(Introspector::new(&Inspector::new())).await;
    let error = client.server().await.unwrap_err().into_method().unwrap();
    assert_eq!(error, IntrospectionError::NoServer);
    assert!(error.to_string().contains("ServerBuilder::inspector"), "{error}");
    assert!(client.connections(0).await.unwrap().connections.is_empty());
}

#[tokio::test]
async fn what_is_logged_is_changed_while_the_server_runs() {
    let (filter, handle) = reload::Layer::new("info".parse::<Targets>().unwrap());
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(filter));
    let introspector = Introspector::new(&Inspector::new()).on_log_level(move |directives| {
        let targets: Targets = directives.parse()?;
        let in_force = targets.to_string();
        handle.reload(targets)?;
        Ok::<_, Box<dyn std::error::Error>>(in_force)
    });
    let (client, _admin) = admin(introspector).await;
    let is_debugged = || tracing::enabled!(target: "shop::stock", tracing::Level::DEBUG);
    assert!(!is_debugged());
    assert_eq!(client.set_log_level("info,shop=debug".into()).await.unwrap(), "shop=debug,info");
    assert!(is_debugged());

    for (directives, why) in [("shop=loud".to_owned(), "level"), ("x".repeat(5000), "4,096 bytes")] {
        let error = client.set_log_level(directives).await.unwrap_err().into_method().unwrap();
        assert!(matches!(&error, IntrospectionError::BadDirectives(text) if text.contains(why)), "{error}");
    }
    assert!(is_debugged(), "what cannot be read changes nothing");
}

#[tokio::test]
async fn a_server_that_has_not_said_how_its_log_changes_says_that() {
    let (_set, client, _admin) = serve().await;
    let error = client.set_log_level("debug".into()).await.unwrap_err().into_method().unwrap();
    assert_eq!(error, IntrospectionError::NoLogLevel);
    assert!(error.to_string().contains("Introspector::on_log_level"), "{error}");
}

#[tokio::test]
async fn where_callers_are_known_operators_see_and_anybody_may_ask_for_health() {
    let inspector = Inspector::new();
    let tokens = Tokens::new([
        ("of-an-operator-0123456789", Caller::new("olga").with_role("operator")),
        ("of-a-customer-0123456789", Caller::new("carl")),
    ])
    .unwrap();
    let server = kit::builder(&kit::Probe::new())
        .service(HealthReporter::new())
        .service(Introspector::new(&inspector))
        .inspector(&inspector)
        .layer(Authenticate::new(tokens))
        .bind("mem://")
        .await
        .unwrap();
    let channel = Arc::new(Channel::connect(server.uri()).await.unwrap());
    soon(HealthClient::new(channel.clone()).check(String::new())).await.unwrap();
    let client = IntrospectionClient::new(channel);
    let failures =
        |token: &'static str| client.failures().metadata("authorization", format!("Bearer {token}"));
    failures("of-an-operator-0123456789").await.unwrap();
    assert_eq!(failures("of-a-customer-0123456789").await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(client.failures().await.unwrap_err().code(), Code::Unauthenticated);
    for method in <Introspector as Handler>::descriptor().methods() {
        assert_eq!(method.auth().map(|rule| rule.to_string()).as_deref(), Some("role:operator"), "{method}");
    }
}
