#[service]
pub trait Nothing {}
