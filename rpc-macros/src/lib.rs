//! The `#[service]` attribute of farcall.

/// Quotes with names of its own: no local variable of generated code can be mistaken for one of the user's.
macro_rules! emit {
    ($($tokens:tt)*) => { ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*) };
}

mod expand;
mod model;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

#[doc = include_str!("service.md")]
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    run(args.into(), &item.into()).into()
}

fn run(args: proc_macro2::TokenStream, item: &proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let input = match parse::trait_item(item.clone()) {
        Ok(input) => input,
        Err(error) => return expand::rejected(item, &error),
    };
    let (service, errors) = model::Service::new(args, &input);
    match errors {
        None => expand::service(&service),
        Some(errors) => expand::fallback(&service, &errors),
    }
}
