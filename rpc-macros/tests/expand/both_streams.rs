#[service]
pub trait Chat {
    async fn chat(&self, room: Room, said: Streaming<Line>) -> Result<impl Stream<Item = Line> + Send, Fault>;
}
