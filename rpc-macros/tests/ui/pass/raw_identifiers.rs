#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

#[farcall::service(rename_all = "camelCase")]
pub trait r#Loop {
    async fn r#type(&self, r#in: String, r#fn: u8) -> Result<String, Fault>;
    async fn r#async(&self, r#match: &str) -> Result<String, Fault>;
    async fn self_(&self) -> Result<(), Fault>;
    async fn _hidden(&self, _arg: u8) -> Result<(), Fault>;
}

fn main() {
    let request = LoopRequest::Type { r#in: String::new(), r#fn: 1 };
    assert_eq!(format!("{request:?}"), r#"Type { in: "", fn: 1 }"#);
    let names = LoopClient::DESCRIPTOR.methods().iter().map(|method| method.name()).collect::<Vec<_>>();
    assert_eq!(names, ["type", "async", "self", "hidden"]);
    assert_eq!(LoopClient::DESCRIPTOR.name(), "Loop");
    assert_eq!(LoopClient::DESCRIPTOR.methods()[0].args(), ["in", "fn"]);
}
