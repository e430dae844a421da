#[service]
trait Maths {
    async fn add(&self, a: i64, b: i64) -> i64;
}
