#[service]
pub trait Bank {
    #[rpc(auth = "none")]
    async fn rates(&self) -> String;
    #[rpc(auth = "role:admin | role:support & scope:read")]
    async fn close(&self, id: u64);
}
