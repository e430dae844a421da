#[service]
pub trait Store<V: Clone, const N: usize>: Audit
where
    V: Default,
{
    async fn get(&self, key: String) -> Result<V, Fault>;
    async fn count(&self) -> Result<usize, Fault>;
}
