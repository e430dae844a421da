/// Keeps things.
#[cfg(feature = "store")]
#[service]
pub(crate) trait Store {
    /// Gets one.
    #[deprecated(note = "use all")]
    #[allow(clippy::too_many_arguments)]
    async fn get(&self, key: Key) -> Item;
    #[cfg(feature = "all")]
    async fn all(&self) -> All;
}
