//! Streams: the shapes, order, errors, back pressure, ends.

use farcall::CallError;
use futures::{StreamExt, stream};

use crate::kit::{self, LabError, soon};

#[tokio::test]
async fn a_server_stream_gives_its_items_in_order() {
    let set = kit::serve().await;
    for count in [0, 1, 63, 64, 65, 20_000] {
        let items: Vec<u64> =
            soon(set.client.count(count).await.unwrap().map(Result::unwrap).collect()).await;
        assert!(items.into_iter().eq(0..count), "{count} items");
    }
}

#[tokio::test]
async fn items_may_fail_one_by_one() {
    let set = kit::serve().await;
    let items = set.client.divide_all(vec![(6, 2), (1, 0), (8, 2)]).await.unwrap();
    let items: Vec<_> = items.collect().await;
    assert!(matches!(items[..], [Ok(3), Err(CallError::Method(LabError::DivisionByZero)), Ok(4)]));
}

#[tokio::test]
async fn a_method_may_answer_with_an_error_in_place_of_a_stream() {
    let set = kit::serve().await;
    let error = set.client.divide_all(vec![]).await.unwrap_err();
    assert!(matches!(error, CallError::Method(LabError::DivisionByZero)));
}

#[tokio::test]
async fn a_client_stream_arrives_whole_beside_a_plain_argument() {
    let set = kit::serve().await;
    assert_eq!(soon(set.client.sum(5, stream::iter(0..10_000u64))).await.unwrap(), 49_995_005);
    assert_eq!(soon(set.client.sum(5, stream::empty())).await.unwrap(), 5);
}

#[tokio::test]
async fn both_sides_may_stream_at_once() {
    let set = kit::serve().await;
    let (say, said) = tokio::sync::mpsc::channel(1);
    let said = tokio_stream::wrappers::ReceiverStream::new(said);
    let mut heard = set.client.shout("!", said).await.unwrap();
    for word in ["one", "two", "three"] {
        say.send(word.to_owned()).await.unwrap();
        assert_eq!(soon(heard.next()).await.unwrap().unwrap(), format!("{}!", word.to_uppercase()));
    }
    drop(say);
    assert!(soon(heard.next()).await.is_none());
}

#[tokio::test]
async fn an_early_answer_ends_a_client_stream() {
    let set = kit::serve().await;
    let (say, said) = tokio::sync::mpsc::channel::<String>(1);
    let said = tokio_stream::wrappers::ReceiverStream::new(said);
    let heard = set.client.shout("!", said).await.unwrap();
    drop(heard);
    // The receiving end is dropped with the call.
    soon(say.closed()).await;
}

#[tokio::test]
async fn fault_26_a_reader_that_does_not_read_slows_its_writer_and_nobody_else() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut flood = set.client.flood().await.unwrap();
    soon(flood.next()).await.unwrap().unwrap();
    // Other calls go on while the stream stands still, and so does the count of its items.
    let mut items = 0;
    loop {
        for _ in 0..50 {
            soon(set.client.echo("live".into())).await.unwrap();
        }
        let now = set.probe.counts().items;
        if now == items {
            break;
        }
        items = now;
    }
    assert!(items * 1024 < 1 << 20, "{items} items were made for a reader that took one");
    for _ in 0..10_000 {
        soon(flood.next()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn fault_25_streams_that_nobody_reads_do_not_hold_up_other_calls() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut unread = Vec::new();
    for _ in 0..64 {
        unread.push(soon(set.client.flood()).await.unwrap());
    }
    for _ in 0..100 {
        soon(set.client.echo("live".into())).await.unwrap();
    }
    let body = bytes::Bytes::from(vec![1; 2 << 20]);
    assert!(soon(set.client.blob(body.clone())).await.unwrap() == body);
    drop(unread);
    set.probe.wait(|counts| counts.dropped == 64 + 100).await;
}

#[tokio::test]
async fn fault_67_a_stream_that_panics_ends_its_call_only() {
    let set = kit::serve().await;
    let mut items = set.client.boom_later().await.unwrap();
    let mut last = None;
    while let Some(item) = soon(items.next()).await {
        last = Some(item);
    }
    let error = last.unwrap().unwrap_err();
    assert_eq!(error.code(), farcall::Code::Internal, "{error}");
    assert_eq!(set.client.echo("live".into()).await.unwrap(), "live");
}

#[tokio::test]
async fn a_callers_stream_that_panics_fails_its_call() {
    let set = kit::serve().await;
    let parts = stream::iter(0..3u64).inspect(|part| assert!(*part < 2, "on purpose"));
    let error = soon(set.client.sum(0, parts)).await.unwrap_err();
    assert_eq!(error.code(), farcall::Code::Cancelled, "{error}");
    assert_eq!(set.client.echo("live".into()).await.unwrap(), "live");
}
