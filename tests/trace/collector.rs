//! What receives OTLP over HTTP, and what sends it there.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// The network is polled here: an exporter blocks a thread of its own, which has no runtime.
static NET: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// A span as it arrived.
#[derive(Clone, Debug)]
pub struct Span {
    pub process: String,
    pub name: String,
    /// 1 internal, 2 server, 3 client.
    pub kind: i32,
    pub trace_id: String,
    pub id: String,
    pub parent: String,
    pub began_ns: u64,
    pub ended_ns: u64,
    pub is_error: bool,
    pub state: String,
    pub attributes: BTreeMap<String, String>,
}

/// A receiver of OTLP over HTTP, on a port of this machine.
pub struct Collector {
    uri: String,
    spans: Arc<Mutex<Vec<Span>>>,
    requests: watch::Receiver<usize>,
}

impl Collector {
    pub fn start() -> Self {
        Self::with(true)
    }

    /// One that takes requests and answers none.
    pub fn hanging() -> Self {
        Self::with(false)
    }

    fn with(answers: bool) -> Self {
        let listener = NET.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let uri = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(Vec::new()));
        let (count, requests) = watch::channel(0);
        let kept = spans.clone();
        NET.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, count) = (kept.clone(), count.clone());
                let serve = service_fn(move |request| {
                    let (kept, count) = (kept.clone(), count.clone());
                    async move {
                        let response = take(request, &kept).await;
                        count.send_modify(|count| *count += 1);
                        if !answers {
                            std::future::pending::<()>().await;
                        }
                        Ok::<_, Infallible>(response)
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), serve));
            }
        });
        Self { uri, spans, requests }
    }

    pub fn uri(&self) -> &str {
        &self.uri
    }

    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub fn wait(&self, requests: usize) {
        NET.block_on(self.requests.clone().wait_for(|count| *count >= requests)).unwrap();
    }
}

async fn take(request: Request<Incoming>, kept: &Mutex<Vec<Span>>) -> Response<Full<Bytes>> {
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/traces"));
    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let export = ExportTraceServiceRequest::decode(body).unwrap();
    for resource in export.resource_spans {
        let process = attributes(&resource.resource.unwrap().attributes)["service.name"].clone();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            kept.lock().unwrap().push(Span {
                process: process.clone(),
                kind: span.kind,
                trace_id: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                began_ns: span.start_time_unix_nano,
                ended_ns: span.end_time_unix_nano,
                is_error: span.status.is_some_and(|status| status.code == 2),
                state: span.trace_state,
                attributes: attributes(&span.attributes),
                name: span.name,
            });
        }
    }
    Response::new(Full::new(ExportTraceServiceResponse::default().encode_to_vec().into()))
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &any_value::Value| match value {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        any_value::Value::BoolValue(truth) => truth.to_string(),
        other => format!("{other:?}"),
    };
    let value = |entry: &KeyValue| entry.value.as_ref().and_then(|value| value.value.as_ref()).map(text);
    all.iter().map(|entry| (entry.key.clone(), value(entry).unwrap_or_default())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends with hyper.
#[derive(Debug)]
pub struct Post;

#[async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        NET.spawn(post(request)).await?
    }
}

async fn post(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let host = request.uri().authority().ok_or("no host")?.to_string();
    let stream = TokioIo::new(TcpStream::connect(host).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}
