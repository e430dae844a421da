//! One method: `.ci/run` counts the lines that it expands to.

#[farcall::service]
trait Maths {
    async fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}
