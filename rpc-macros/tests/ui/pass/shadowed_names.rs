#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

use farcall::service;
use serde::{Deserialize, Serialize};

macro_rules! own {
    ($($name:ident)*) => {$(
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub struct $name;
    )*};
}

// Everything that generated code might name by mistake.
own! {
    Result Option String Request Response Box Vec Client Server Stream Service Call Error Some None Ok Err Channel Send
    Sync Future Cow Arc PhantomData Plain Fallible Start Wire Message Handler S T St V
}

macro_rules! matches {
    () => {};
}

pub mod core {}
pub mod std {}

#[service]
pub trait Shadow {
    async fn one(&self, a: Result, b: Option, c: String, d: Box, e: Vec, f: Some, g: None) -> Result;
    async fn two(&self, a: Request, b: Response, c: Client, d: Server, e: Stream, f: Service, g: Call) -> Ok;
    async fn three(&self, a: S, b: T, c: St, d: Cow, e: Arc, f: PhantomData, g: Error, h: Channel) -> Err;
    async fn four(&self, a: Plain, b: Wire, c: Message, d: Handler, e: Start, f: Fallible, key: &str) -> Future;
    // Names that generated code has for its own values.
    async fn five(&self, request: u8, serializer: u8, streams: u8, method: u8, value: u8, deserializer: &[u8]) -> Send;
    async fn six(&self, incoming: u8, f: farcall::Streaming<Sync>) -> V;
}

fn main() {
    matches!();
    let _ = ShadowRequest::Six { incoming: 1 };
}
