//! `Bytes` that are sent from where they are, and read where they came.

use bytes::Bytes;
use farcall::layers::Retry;
use farcall::{Channel, CodecKind, ServerBuilder, service};
use serde::{Deserialize, Serialize};

use crate::kit::soon;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    number: u32,
    #[serde(with = "farcall::shared_bytes")]
    content: Bytes,
    footnote: String,
}

#[service]
pub trait Pages {
    #[rpc(idempotent)]
    async fn turn(&self, page: Page) -> Page;
}

struct Book;

impl Pages for Book {
    async fn turn(&self, page: Page) -> Page {
        Page { number: page.number + 1, ..page }
    }
}

fn page(number: u32, bytes: usize) -> Page {
    let content = (0..bytes).map(|index| (index % 251) as u8).collect();
    Page { number, content, footnote: format!("{number} of many") }
}

fn server() -> ServerBuilder {
    farcall::Server::builder().service(PagesServer::new(Book))
}

#[tokio::test]
async fn pages_of_all_sizes_come_back_over_links_of_any_speed() {
    for address in ["tcp://127.0.0.1:0", "mem://"] {
        let server = server().bind(address).await.unwrap();
        let channel = Channel::builder(server.uri()).layer(Retry::default()).connect().await.unwrap();
        let client = PagesClient::new(channel);
        // The first are cut into parts; once the link has carried some megabytes, they go whole.
        for bytes in [0, 4096, 32 << 10, 70_000, 1 << 20, (4 << 20) - 64, 1 << 20, 70_000, 32 << 10] {
            let page = page(1, bytes);
            for _ in 0..4 {
                let answer = soon(client.turn(page.clone())).await.unwrap();
                assert!(answer == Page { number: 2, ..page.clone() }, "{bytes} bytes, {address}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_in_the_same_process_and_in_other_codecs_is_the_same() {
    let codecs = CodecKind::ALL.iter().filter(|codec| codec.name() != "protobuf");
    for codec in codecs {
        let client = PagesClient::with_codec(PagesServer::new(Book), *codec);
        let answer = soon(client.turn(page(1, 100_000))).await.unwrap();
        assert!(answer == Page { number: 2, ..page(1, 100_000) }, "{codec:?}");
    }
}
