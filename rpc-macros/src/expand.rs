//! A service to tokens: one function for each item that is emitted. Nothing here can fail.

mod bounds;
mod client;
mod contract;
mod descriptor;
mod messages;
mod server;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Error};

use crate::model::Service;
use bounds::Bounds;

/// Emits the trait and all that belongs to it.
pub(crate) fn service(service: &Service) -> TokenStream {
    expand(service, true)
}

/// Emits the errors, and as much of the service as is right: whoever uses it sees no errors but these.
pub(crate) fn fallback(service: &Service, errors: &Error) -> TokenStream {
    let errors = errors.to_compile_error();
    let service = expand(service, false);
    quote!(#errors #service)
}

/// Emits what is no trait as it is, and the error.
pub(crate) fn rejected(item: &TokenStream, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!(#error #item)
}

fn expand(service: &Service, complete: bool) -> TokenStream {
    let bounds = Bounds::new(service);
    let krate = &service.krate;
    let cfgs = cfgs(&service.item.attrs);
    let contract = contract::contract(service);
    let types = [
        client::definition(service),
        server::definition(service),
        messages::request(service),
        messages::response(service),
    ];
    let descriptors = descriptor::descriptors(service);
    let messages = messages::impls(service, &bounds);
    let dispatch = server::dispatch(service, &bounds);
    let client = client::impls(service, &bounds, complete);
    let (aliases, checks) = (&bounds.aliases, &bounds.checks);
    emit! {
        #contract
        #(#types)*
        #(#cfgs)*
        #[allow(deprecated, nonstandard_style, unreachable_pub, unused, clippy::all)]
        const _: () = {
            use #krate::__private as __farcall;
            #(#aliases)*
            #descriptors
            #messages
            #dispatch
            #client
            #(#checks)*
        };
    }
}

fn cfgs(attrs: &[Attribute]) -> Vec<&Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
}
