//! Tokens to syntax: it keeps the spans and decides nothing.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{AttrStyle, Attribute, Error, Ident, ItemTrait, Lit, LitStr, Path, Result, Token, TraitItem};

/// Parses the item below `#[service]`.
pub(crate) fn trait_item(tokens: TokenStream) -> Result<ItemTrait> {
    match syn::parse2(tokens)? {
        syn::Item::Trait(mut item) => {
            outer(&mut item.attrs);
            for item in &mut item.items {
                if let TraitItem::Fn(method) = item {
                    outer(&mut method.attrs);
                }
            }
            Ok(item)
        }
        item => Err(Error::new(
            keyword(&item),
            "`#[service]` goes on a trait: write `#[service] pub trait Name { async fn method(&self); }`",
        )),
    }
}

/// Takes attributes out of the braces that they stand in, as `#![allow(…)]`: some are emitted in other places, where there are none.
fn outer(attrs: &mut [Attribute]) {
    attrs.iter_mut().for_each(|attr| attr.style = AttrStyle::Outer);
}

fn keyword(item: &syn::Item) -> Span {
    match item {
        syn::Item::Struct(item) => item.struct_token.span,
        syn::Item::Enum(item) => item.enum_token.span,
        syn::Item::Fn(item) => item.sig.fn_token.span,
        syn::Item::Impl(item) => item.impl_token.span,
        syn::Item::Mod(item) => item.mod_token.span,
        _ => Span::call_site(),
    }
}

/// One of the options in `#[service(…)]` or `#[rpc(…)]`.
#[derive(Debug)]
pub(crate) struct Opt {
    pub(crate) name: Ident,
    pub(crate) value: Option<Value>,
}

/// What stands behind an option's `=`.
#[derive(Debug)]
pub(crate) enum Value {
    Lit(Lit),
    Path(Path),
}

/// Parses options, separated by commas.
pub(crate) fn options(tokens: TokenStream) -> Result<Vec<Opt>> {
    let options = Punctuated::<Opt, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(options.into_iter().collect())
}

impl Parse for Opt {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = Ident::parse_any(input)
            .map_err(|error| Error::new(error.span(), "write the option's name, then `=` and its value"))?;
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Self { name, value: None });
        }
        input.parse::<Token![=]>().map_err(|error| {
            Error::new(error.span(), format!("write `=` between `{name}` and its value, or a comma after it"))
        })?;
        Ok(Self { name, value: Some(input.parse()?) })
    }
}

impl Parse for Value {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Lit) {
            return input.parse().map(Self::Lit);
        }
        input
            .call(Path::parse_mod_style)
            .map(Self::Path)
            .map_err(|error| Error::new(error.span(), "write a literal here, or a path"))
    }
}

impl Value {
    /// Returns the text, if the value is a string.
    pub(crate) fn as_str(&self) -> Option<&LitStr> {
        match self {
            Self::Lit(Lit::Str(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Lit(lit) => lit.span(),
            Self::Path(path) => path.segments.first().map_or_else(Span::call_site, |part| part.ident.span()),
        }
    }
}
