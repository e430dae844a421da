#[farcall::service]
pub trait Bank {
    #[rpc(auth)]
    async fn alone(&self);
    #[rpc(auth = admin)]
    async fn path(&self);
    #[rpc(auth = "")]
    async fn empty(&self);
    #[rpc(auth = "admin")]
    async fn word(&self);
    #[rpc(auth = "rol:admin")]
    async fn near_kind(&self);
    #[rpc(auth = "team:blue")]
    async fn other_kind(&self);
    #[rpc(auth = "role:")]
    async fn nameless(&self);
    #[rpc(auth = "role: admin")]
    async fn space(&self);
    #[rpc(auth = "role:admin role:ops")]
    async fn not_joined(&self);
    #[rpc(auth = "role:admin |")]
    async fn half(&self);
    #[rpc(auth = "none | role:admin")]
    async fn not_alone(&self);
    #[rpc(auth = "caller", auth = "none")]
    async fn twice(&self);
}

fn main() {}
