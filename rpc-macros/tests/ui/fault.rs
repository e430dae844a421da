/// An error that any failed call can become.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fault;

impl From<farcall::Error> for Fault {
    fn from(_: farcall::Error) -> Self {
        Self
    }
}
