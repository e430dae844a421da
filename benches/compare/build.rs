//! Generates tonic's client and server; the messages are written by hand, so that no protoc is needed.

use tonic_build::manual::{Builder, Method, Service};

const CODEC: &str = "tonic_prost::ProstCodec";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let method = |name: &str, route: &str, input: &str, output: &str| {
        Method::builder().name(name).route_name(route).input_type(input).output_type(output).codec_path(CODEC)
    };
    let service = Service::builder()
        .name("Echoing")
        .package("compare")
        .method(method("echo", "Echo", "crate::message::Echo", "crate::message::Echo").build())
        .method(method("blob", "Blob", "crate::message::Nothing", "crate::message::Blob").build())
        .method(
            method("items", "Items", "crate::message::Nothing", "crate::message::Blob")
                .server_streaming()
                .build(),
        )
        .build();
    Builder::new().compile(&[service]);
}
