#[service]
trait r#Type {
    async fn r#type(&self, r#in: String) -> String;
}
