#![deny(warnings)]

macro_rules! service {
    ($vis:vis $name:ident<$param:ident> { $($method:ident($($arg:ident: $ty:ty),*) -> $output:ty;)* }) => {
        #[farcall::service]
        $vis trait $name<$param: Clone> {
            $(async fn $method(&self, $($arg: $ty),*) -> $output;)*
            async fn fixed(&self, request: $param, text: &str) -> Result<u8, farcall::Error>;
        }
    };
}

service! {
    pub Made<V> {
        put(key: String, value: V) -> Result<(), farcall::Error>;
        get(key: &str) -> Result<V, farcall::Error>;
        add(a: u8, b: u8) -> Result<u8, farcall::Error>;
    }
}

fn main() {
    let _ = MadeRequest::<u8>::Add { a: 1, b: 2 };
}
