#[service]
pub trait Wrong {
    type Item;
    async fn right(&self, a: i64) -> i64;
    async fn no_receiver(a: i64) -> i64;
    async fn pattern(&self, (a, b): (i64, i64)) -> i64;
}
