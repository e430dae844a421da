#[service]
pub trait Clock {
    fn ticks(&self, every: Duration) -> impl Stream<Item = Tick> + Send;
    async fn later(&self) -> impl Stream<Item = Result<Tick, Fault>> + Send;
    async fn watch(&self) -> Result<impl Stream<Item = Result<Tick, Fault>> + Send, Fault>;
}
