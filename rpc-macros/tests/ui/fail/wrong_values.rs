#[farcall::service(name = 7, version = true, rename_all = "camel", crate = "farcall")]
pub trait Greeter {
    #[rpc(id = "one")]
    async fn text_id(&self);
    #[rpc(id = -1)]
    async fn negative_id(&self);
    #[rpc(idempotent = true)]
    async fn flag(&self);
    #[rpc(name = "")]
    async fn empty_name(&self);
    #[rpc(name = "a/b")]
    async fn slash(&self);
    #[rpc(name)]
    async fn no_name(&self);
    #[rpc(id = 99999999999999999999)]
    async fn large_id(&self);
}

fn main() {}
