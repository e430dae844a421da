#[farcall::service]
pub trait Greeter {
    async unsafe fn not_safe(&self);
    async extern "C" fn foreign(&self);
}

fn main() {}
