#[farcall::service(name: "greeter")]
pub trait Greeter {
    #[rpc]
    async fn bare(&self);
    #[rpc = "idempotent"]
    async fn value(&self);
    #[rpc(id 3)]
    async fn no_equals(&self);
    #[rpc("idempotent")]
    async fn quoted(&self);
}

fn main() {}
