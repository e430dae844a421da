#[service(name = "maths", version = 2, rename_all = "camelCase", crate = other::farcall)]
pub trait Maths {
    #[rpc(idempotent, timeout = "1500ms")]
    async fn add_all(&self, all: Vec<i64>) -> i64;
    #[rpc(name = "noted", id = 7, oneway)]
    async fn note(&self, text: String);
}
