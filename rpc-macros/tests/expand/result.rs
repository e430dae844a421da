#[service]
pub trait Maths {
    async fn divide(&self, a: i64, b: i64) -> Result<i64, MathError>;
    async fn root(&self, of: f64) -> crate::Result<f64>;
}
