#[service]
pub trait Kv {
    async fn put(&self, key: &str, value: &[u8]);
}
