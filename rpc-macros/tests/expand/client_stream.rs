#[service]
pub trait Files {
    async fn upload(&self, name: String, parts: Streaming<Bytes>) -> Result<Receipt, Fault>;
}
