//! What a span says of its call, and when it ends.

use farcall::layers::{Retry, Trace};
use farcall::{Channel, Code, Layer, Next, Request, Server, Stack, Status, layer_fn};
use futures::{StreamExt, stream};

use crate::kit::{Bench, LabClient, LabServer, Probe};
use crate::recorded::Spans;
use crate::shop::{Corner, Fails, Script, ShopClient, ShopServer, stand_in};

const NONE: Option<&str> = None;

async fn serve(uri: &str) -> Server {
    Server::builder().service(ShopServer::new(Corner)).layer(Trace::server()).bind(uri).await.unwrap()
}

#[tokio::test]
async fn a_call_has_a_span_on_each_side_named_as_the_conventions_ask() {
    let (spans, _guard) = Spans::listen();
    let server = serve("tcp://127.0.0.1:0").await;
    let port = server.uri().rsplit_once(':').unwrap().1.to_owned();
    let channel = Channel::connect(server.uri()).await.unwrap();
    let client = ShopClient::new(Trace::client().address(server.uri()).layer(channel));
    client.price("ink".into()).await.unwrap();
    server.shutdown().await;
    let common = [
        ("otel.name", Some("Shop/price")),
        ("rpc.system.name", Some("farcall")),
        ("rpc.service", Some("Shop")),
        ("rpc.method", Some("Shop/price")),
        ("rpc.method_original", NONE),
        ("rpc.response.status_code", Some("OK")),
        ("network.peer.address", Some("127.0.0.1")),
        ("otel.status_code", NONE),
        ("error.type", NONE),
    ];
    let (called, answered) = (&spans.of("client")[0], &spans.of("server")[0]);
    called.check(&common);
    called.check(&[
        ("server.address", Some("127.0.0.1")),
        ("server.port", Some(&port)),
        ("network.peer.port", Some(&port)),
        ("parent_span_id", NONE),
    ]);
    answered.check(&common);
    answered.check(&[
        ("server.address", NONE),
        ("trace_id", called.field("trace_id")),
        ("parent_span_id", called.field("span_id")),
    ]);
    assert_ne!(answered.get("network.peer.port"), port);
    assert_eq!((called.get("trace_id").len(), called.get("span_id").len()), (32, 16));
    assert!(called.is_closed && answered.is_closed);
}

#[tokio::test]
async fn a_caller_has_failed_whatever_the_code_and_a_server_where_it_is_to_blame() {
    let (spans, _guard) = Spans::listen();
    for (code, servers) in
        [(Code::NotFound, NONE), (Code::Unavailable, Some("ERROR")), (Code::Cancelled, NONE)]
    {
        spans.clear();
        let script = Script::new([Fails::code(code)]);
        let layers = Stack::new(Trace::client(), Trace::server());
        ShopClient::new(layers.layer(script.service())).buy("x".into()).await.unwrap_err();
        let failed = [("rpc.response.status_code", Some(code.name())), ("error.type", Some(code.name()))];
        spans.of("client")[0].check(&failed);
        spans.of("client")[0].check(&[("otel.status_code", Some("ERROR"))]);
        assert!(spans.of("client")[0].get("otel.status_description").contains("on purpose"));
        spans.of("server")[0].check(&failed[..1]);
        spans.of("server")[0]
            .check(&[("otel.status_code", servers), ("error.type", servers.map(|_| code.name()))]);
    }
    spans.clear();
    let script = Script::new([Fails::NeverSent]);
    ShopClient::new(Trace::client().layer(script.service())).buy("x".into()).await.unwrap_err();
    spans.one().check(&[("rpc.response.status_code", Some("UNAVAILABLE")), ("error.type", Some("Connect"))]);
}

#[tokio::test]
async fn a_methods_own_error_is_an_answer_that_the_caller_takes_for_a_failure() {
    let (spans, _guard) = Spans::listen();
    let lab = LabServer::new(Bench(Probe::new()));
    let client = LabClient::new(Stack::new(Trace::client(), Trace::server()).layer(lab));
    client.divide(1, 0).await.unwrap_err();
    let common = [("rpc.response.status_code", Some("OK")), ("farcall.failed", Some("true"))];
    spans.of("client")[0].check(&common);
    spans.of("client")[0].check(&[("error.type", Some("method_error")), ("otel.status_code", Some("ERROR"))]);
    spans.of("server")[0].check(&common);
    spans.of("server")[0].check(&[("error.type", NONE), ("otel.status_code", NONE)]);
}

#[tokio::test]
async fn a_panic_is_the_servers_and_a_message_is_cut_where_it_is_long() {
    let (spans, _guard) = Spans::listen();
    let server = serve("mem://").await;
    ShopClient::connect(server.uri()).await.unwrap().boom().await.unwrap_err();
    server.shutdown().await;
    spans.one().check(&[
        ("rpc.response.status_code", Some("INTERNAL")),
        ("otel.status_code", Some("ERROR")),
        ("error.type", Some("panic")),
    ]);
    spans.clear();
    let status = Status::new(Code::Internal, "ü".repeat(1_000));
    let script = Script::new([Fails::Status(status)]);
    ShopClient::new(Trace::client().layer(script.service())).buy("x".into()).await.unwrap_err();
    assert!((511..=512).contains(&spans.one().get("otel.status_description").len()));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_marked_on_both_sides() {
    let (spans, _guard) = Spans::listen();
    let probe = Probe::new();
    let server = Server::builder().service(LabServer::new(Bench(probe.clone()))).layer(Trace::server());
    let server = server.bind("mem://").await.unwrap();
    let client = LabClient::new(Trace::client().layer(Channel::connect(server.uri()).await.unwrap()));
    let call = tokio::spawn(client.hang());
    probe.wait(|counts| counts.started == 1).await;
    assert!(!spans.of("client")[0].is_closed && !spans.of("server")[0].is_closed);
    call.abort();
    probe.wait(|counts| counts.dropped == 1).await;
    server.shutdown().await;
    let (called, answered) = (&spans.of("client")[0], &spans.of("server")[0]);
    let cancelled = ("rpc.response.status_code", Some("CANCELLED"));
    called.check(&[cancelled, ("otel.status_code", Some("ERROR")), ("error.type", Some("CANCELLED"))]);
    answered.check(&[cancelled, ("otel.status_code", NONE)]);
    assert!(called.is_closed && answered.is_closed);
}

#[tokio::test]
async fn a_streams_span_ends_with_the_stream() {
    let (spans, _guard) = Spans::listen();
    let client = ShopClient::new(Trace::client().layer(ShopServer::new(Corner)));
    let mut offers = client.offers(3).await.unwrap();
    assert!(offers.next().await.is_some());
    assert!(!spans.one().is_closed);
    assert_eq!(offers.by_ref().count().await, 2);
    assert!(spans.one().is_closed, "the last item has come, though the stream is still there");
    spans.one().check(&[("rpc.response.status_code", Some("OK"))]);
    spans.clear();
    drop(client.offers(3).await.unwrap());
    spans
        .one()
        .check(&[("rpc.response.status_code", Some("CANCELLED")), ("otel.status_code", Some("ERROR"))]);
    spans.clear();
    client.fill(stream::iter([1, 2])).await.unwrap();
    spans.one().check(&[("rpc.method", Some("Shop/fill")), ("rpc.response.status_code", Some("OK"))]);
    spans.clear();
    let broken = layer_fn(|request: Request, next: Next| async move {
        let lost = || Err(Status::new(Code::DataLoss, "on purpose").into());
        let response = next.call(request).await?;
        Ok(response.map_items(|items| farcall::ItemStream::new(items.take(1).chain(stream::iter([lost()])))))
    });
    let layers = Stack::new(Trace::client(), Trace::server()).then(broken);
    let offers = ShopClient::new(layers.layer(ShopServer::new(Corner))).offers(3).await.unwrap();
    assert!(offers.collect::<Vec<_>>().await.last().unwrap().is_err());
    assert_eq!(spans.all().len(), 2);
    for span in spans.all() {
        span.check(&[("error.type", Some("DATA_LOSS")), ("otel.status_code", Some("ERROR"))]);
        assert!(span.is_closed);
    }
}

#[tokio::test]
async fn what_happens_in_a_call_is_within_its_span() {
    let (spans, _guard) = Spans::listen();
    let inner = ShopClient::new(Trace::client().layer(ShopServer::new(Corner)));
    let outer = stand_in(move |_| {
        let inner = inner.clone();
        async move {
            inner.price("ink".into()).await?;
            Err(Status::new(Code::NotFound, "on purpose").into())
        }
    });
    let client = ShopClient::new(Trace::server().layer(outer));
    client.price("ink".into()).await.unwrap_err();
    let (answered, called) = (&spans.of("server")[0], &spans.of("client")[0]);
    assert_eq!(called.within.as_deref(), answered.field("span_id"));
}

#[tokio::test(start_paused = true)]
async fn attempts_have_a_span_each_inside_of_a_retry_and_one_around_it() {
    let (spans, _guard) = Spans::listen();
    let script = || Script::new([Fails::Refused]).service();
    ShopClient::new(Stack::new(Retry::new(), Trace::client()).layer(script()))
        .price("x".into())
        .await
        .unwrap();
    assert_eq!(spans.all().len(), 2);
    spans.all()[0].check(&[("error.type", Some("Refused"))]);
    spans.all()[1].check(&[("rpc.response.status_code", Some("OK"))]);
    spans.clear();
    ShopClient::new(Stack::new(Trace::client(), Retry::new()).layer(script()))
        .price("x".into())
        .await
        .unwrap();
    spans.one().check(&[("rpc.response.status_code", Some("OK"))]);
}

#[tokio::test]
async fn a_method_that_is_not_known_is_not_taken_for_a_name() {
    let (spans, _guard) = Spans::listen();
    let server = serve("mem://").await;
    let client = LabClient::connect(server.uri()).await.unwrap();
    client.echo("x".into()).await.unwrap_err();
    server.shutdown().await;
    spans.of("server")[0].check(&[
        ("otel.name", Some("farcall")),
        ("rpc.method", Some("_OTHER")),
        ("rpc.service", NONE),
        ("rpc.response.status_code", Some("UNIMPLEMENTED")),
        ("otel.status_code", Some("ERROR")),
    ]);
    assert!(!spans.of("server")[0].get("rpc.method_original").is_empty());
}
