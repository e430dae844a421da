//! The `#[service]` attribute of farcall.
