#[allow(clippy::manual_async_fn)]
pub trait Bank: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn rates(
        &self,
    ) -> impl ::core::future::Future<Output = String> + ::core::marker::Send;
    fn close(
        &self,
        id: u64,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
///Calls a [`Bank`] that is elsewhere; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub struct BankClient<S = ::farcall::__private::Channel>(
    ::farcall::__private::Client<BankRequest, S>,
);
///Serves a [`Bank`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.
#[allow(dead_code, unreachable_pub)]
pub type BankServer<T> = ::farcall::__private::Dispatcher<BankRequest, T>;
///The requests of [`Bank`]: a variant for each method, with its arguments.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum BankRequest {
    Rates,
    Close { id: u64 },
}
///The responses of [`Bank`]: a variant for each method, with its result.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
pub enum BankResponse {
    Rates(String),
    Close(()),
}
#[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
const _: () = {
    use ::farcall::__private as __farcall;
    static __FARCALL: __farcall::ServiceDescriptor = __farcall::ServiceDescriptor::new(
        "Bank",
        &[&__FARCALL_rates, &__FARCALL_close],
    );
    static __FARCALL_rates: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Bank",
            "rates",
        )
        .with_output("String")
        .with_auth(__farcall::AuthRule::None);
    const __FARCALL_ID_rates: __farcall::MethodId = __FARCALL_rates.id();
    static __FARCALL_close: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(
            "Bank",
            "close",
        )
        .with_args(&["id"], &["u64"])
        .with_auth(
            __farcall::AuthRule::AnyOf(
                &[&["role:admin"], &["role:support", "scope:read"]],
            ),
        );
    const __FARCALL_ID_close: __farcall::MethodId = __FARCALL_close.id();
    impl<'de> __farcall::Message<'de> for BankRequest
    where
        for<'w> u64: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Rates {} => encoder.args(&__FARCALL_rates, ()),
                Self::Close { ref id } => encoder.args(&__FARCALL_close, (id,)),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_rates => decoder.args(&__FARCALL_rates, |()| Self::Rates {}),
                __FARCALL_ID_close => {
                    decoder.args(&__FARCALL_close, |(id,)| Self::Close { id })
                }
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(['de,] BankRequest where [] [u64] Rates {} Close { id });
    impl<'de> __farcall::Message<'de> for BankResponse
    where
        for<'w> String: __farcall::Wire<'w>,
    {
        const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
        fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
            match *self {
                Self::Rates(ref output) => encoder.output(&__FARCALL_rates, output),
                Self::Close(ref output) => encoder.output(&__FARCALL_close, output),
            }
        }
        fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
            match decoder.method() {
                __FARCALL_ID_rates => decoder.output(Self::Rates),
                __FARCALL_ID_close => decoder.output(Self::Close),
                _ => decoder.unknown(),
            }
        }
    }
    __farcall::message!(
        ['de,] BankResponse where [] [String] Rates(output) Close(output)
    );
    impl<T: Bank> __farcall::Dispatch<T> for BankRequest
    where
        for<'w> String: __farcall::Wire<'w>,
        for<'w> u64: __farcall::Wire<'w>,
    {
        type Request<'a> = BankRequest;
        type Response = BankResponse;
        async fn run(
            handler: &T,
            request: BankRequest,
            streams: &mut __farcall::Streams,
        ) -> BankResponse {
            match request {
                BankRequest::Rates {} => {
                    BankResponse::Rates(<T as Bank>::rates(handler).await)
                }
                BankRequest::Close { id } => {
                    BankResponse::Close(<T as Bank>::close(handler, id).await)
                }
            }
        }
    }
    __farcall::client!(pub [] BankClient[] S where []);
    impl<S: __farcall::Service> BankClient<S>
    where
        for<'w> BankRequest: __farcall::Message<'w>,
    {
        ///Calls `rates`.
        pub fn rates(
            &self,
        ) -> __farcall::Call<__farcall::Plain<String>, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_rates, self.0.request(&BankRequest::Rates {}))
        }
        ///Calls `close`.
        pub fn close(
            &self,
            id: u64,
        ) -> __farcall::Call<__farcall::Plain<()>, impl __farcall::Start + use<S>> {
            self.0.call(&__FARCALL_close, self.0.request(&BankRequest::Close { id }))
        }
    }
    __farcall::travels::<String>();
    __farcall::travels::<u64>();
};
