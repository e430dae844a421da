//! `CatchPanic`: a panic ends its call, and somebody hears of it.

use std::sync::{Arc, Mutex};

use farcall::layers::CatchPanic;
use farcall::{Code, Layer, Server};
use futures::StreamExt;

use crate::shop::{Corner, ShopClient, ShopServer};

type Reports = Arc<Mutex<Vec<(String, String)>>>;

fn layer() -> (CatchPanic, Reports) {
    let reports = Reports::default();
    let noted = reports.clone();
    let report = move |method: &str, text: &str| noted.lock().unwrap().push((method.into(), text.into()));
    (CatchPanic::new(report), reports)
}

fn report(method: &str) -> (String, String) {
    (method.into(), "on purpose".into())
}

#[tokio::test]
async fn within_the_process_a_panic_is_an_error_of_its_call() {
    let (layer, reports) = layer();
    let client = ShopClient::new(layer.layer(ShopServer::new(Corner)));
    let error = client.boom().await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(!error.to_string().contains("on purpose"));
    assert_eq!(client.price("ink".into()).await.unwrap(), 3);
    assert_eq!(*reports.lock().unwrap(), [report("Shop/boom")]);
}

#[tokio::test]
async fn on_a_server_it_is_reported_with_its_method() {
    let (layer, reports) = layer();
    let server =
        Server::builder().service(ShopServer::new(Corner)).layer(layer).bind("mem://").await.unwrap();
    let client = ShopClient::connect(server.uri()).await.unwrap();
    assert_eq!(client.boom().await.unwrap_err().code(), Code::Internal);
    assert_eq!(*reports.lock().unwrap(), [report("Shop/boom")]);
}

#[tokio::test]
async fn a_panic_between_items_ends_the_stream() {
    let (layer, reports) = layer();
    let client = ShopClient::new(layer.layer(ShopServer::new(Corner)));
    let items: Vec<_> = match client.boom_later().await {
        Ok(items) => items.collect().await,
        Err(error) => vec![Err(error)],
    };
    assert_eq!(items.last().unwrap().as_ref().unwrap_err().code(), Code::Internal);
    assert_eq!(*reports.lock().unwrap(), [report("Shop/boom_later")]);
}
