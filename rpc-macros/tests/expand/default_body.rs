#[service]
trait Greeter {
    async fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }
}
