pub struct Name<'a>(&'a str);

#[farcall::service]
pub trait Greeter {
    async fn reference(&self, name: &String);
    async fn slice(&self, names: &[String]);
    async fn mutable(&self, name: &mut str);
    async fn nested(&self, name: Option<&str>);
    async fn of_static(&self, name: &'static str);
    async fn elided(&self, name: Name<'_>);
    async fn returned(&self) -> &str;
    async fn returned_inside(&self) -> Result<Vec<&[u8]>, String>;
    async fn allowed(&self, name: &str, bytes: &[u8], text: std::borrow::Cow<'static, str>);
}

fn main() {}
