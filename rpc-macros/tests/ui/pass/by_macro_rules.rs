#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

macro_rules! service {
    ($vis:vis $name:ident<$param:ident> { $($method:ident($($arg:ident: $ty:ty),*) -> $output:ty;)* }) => {
        #[farcall::service]
        $vis trait $name<$param: Clone> {
            $(async fn $method(&self, $($arg: $ty),*) -> $output;)*
            async fn fixed(&self, request: $param, text: &str) -> Result<u8, Fault>;
        }
    };
}

service! {
    pub Made<V> {
        put(key: String, value: V) -> Result<(), Fault>;
        get(key: &str) -> Result<V, Fault>;
        add(a: u8, b: u8) -> Result<u8, Fault>;
    }
}

fn main() {
    let _: MadeRequest<'_, u8> = MadeRequest::Add { a: 1, b: 2 };
}
