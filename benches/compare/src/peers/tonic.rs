//! tonic with prost, from generated code, without TLS.
//!
//! nodelay on both sides; `bytes` fields as `Bytes`, which prost then need not copy out. HTTP/2's window of 64 KiB for a whole connection
//! would make W5 and W6 wait for window updates, so both windows are raised beyond what is in flight, frames are larger than 16 KiB,
//! and hyper's limit of 200 streams is raised for W3 and `--grow`. One channel is shared by its clones, as tonic's documentation tells to.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

use self::echoing_client::EchoingClient;
use self::echoing_server::{Echoing, EchoingServer};
use crate::load;
use crate::measure::Count;
use crate::message::{
    BLOB_BYTES, Blob, CALLS_MAX, CONNECTION_WINDOW_BYTES, Echo, ITEM_BYTES, MESSAGE_BYTES_MAX, Nothing,
    STREAM_WINDOW_BYTES, body, item,
};

include!(concat!(env!("OUT_DIR"), "/compare.Echoing.rs"));

/// Measured: 16 KiB, the default, gives 480 and 430 MiB/s at W5 and W6, this 670 and 830.
const FRAME_BYTES: u32 = 1 << 20;

struct Echoer {
    item: Bytes,
    blob: Bytes,
}

#[tonic::async_trait]
impl Echoing for Echoer {
    type ItemsStream = BoxStream<'static, Result<Blob, Status>>;

    async fn echo(&self, request: Request<Echo>) -> Result<Response<Echo>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn blob(&self, _: Request<Nothing>) -> Result<Response<Blob>, Status> {
        Ok(Response::new(Blob { payload: self.blob.clone() }))
    }

    async fn items(&self, _: Request<Nothing>) -> Result<Response<Self::ItemsStream>, Status> {
        let item = Blob { payload: self.item.clone() };
        Ok(Response::new(stream::repeat_with(move || Ok(item.clone())).boxed()))
    }
}

pub async fn serve() -> Result<Infallible> {
    let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into())?.with_nodelay(Some(true));
    super::announce(incoming.local_addr()?);
    let echoer = Echoer { item: item(), blob: body(BLOB_BYTES) };
    let service = EchoingServer::new(echoer)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(CALLS_MAX)
        .max_frame_size(FRAME_BYTES)
        .add_service(service)
        .serve_with_incoming(incoming)
        .await?;
    anyhow::bail!("tonic's server ended")
}

pub struct Client(EchoingClient<Channel>);

impl load::Client for Client {
    async fn connect(port: u16) -> Result<Self> {
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?
            .tcp_nodelay(true)
            .max_frame_size(FRAME_BYTES)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .connect()
            .await?;
        let client = EchoingClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self(client))
    }

    async fn echo(&self, message: Echo) -> Result<Echo> {
        Ok(self.0.clone().echo(message).await?.into_inner())
    }

    async fn blob(&self) -> Result<usize> {
        Ok(self.0.clone().blob(Nothing {}).await?.into_inner().payload.len())
    }

    async fn items(&self, count: Count) -> Result<()> {
        let mut items = self.0.clone().items(Nothing {}).await?.into_inner();
        while let Some(item) = items.next().await {
            ensure!(item?.payload.len() == ITEM_BYTES, "an item of another size");
            count.add(1);
        }
        Ok(())
    }
}
