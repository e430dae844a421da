//! The trait itself: as it is written, with futures that can be sent between threads.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Block, FnArg, Pat, ReturnType, Token, TraitItem, TraitItemFn, parse_quote};

use crate::model::Service;

/// Emits the trait.
pub(crate) fn contract(service: &Service) -> TokenStream {
    let mut item = service.item.clone();
    item.attrs.push(parse_quote!(#[allow(clippy::manual_async_fn)]));
    item.modifiers = syn::TraitModifiers::default();
    item.colon_token.get_or_insert_default();
    for bound in [emit!(::core::marker::Send), emit!(::core::marker::Sync), emit!('static)] {
        item.supertraits.push(parse_quote!(#bound));
    }
    item.items.retain(|item| !matches!(item, TraitItem::Macro(_) | TraitItem::Verbatim(_)));
    for item in &mut item.items {
        if let TraitItem::Fn(method) = item {
            // Of a method that is refused, nothing is asked that would only lead to further errors.
            let is_right = service.methods.iter().any(|right| right.ident == method.sig.ident);
            desugar(method, is_right);
        }
    }
    item.into_token_stream()
}

/// Turns an `async fn` into one that returns its future; whoever implements it still writes `async fn`.
fn desugar(method: &mut TraitItemFn, is_right: bool) {
    method.attrs.retain(|attr| !attr.path().is_ident("rpc"));
    method.sig.constness = None;
    method.sig.variadic = None;
    for input in &mut method.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        input.attrs.retain(|attr| !attr.path().is_ident("rpc"));
        if method.default.is_none() && !is_name(&input.pat) {
            *input.pat = parse_quote!(_);
        }
    }
    if method.sig.asyncness.take().is_none() {
        return;
    }
    let (arrow, output) = match &method.sig.output {
        ReturnType::Default => (<Token![->]>::default(), emit!(())),
        ReturnType::Type(arrow, ty) => (*arrow, ty.into_token_stream()),
    };
    let send = is_right.then(|| emit!(+ ::core::marker::Send));
    let future = emit!(impl ::core::future::Future<Output = #output> #send);
    method.sig.output = ReturnType::Type(arrow, Box::new(syn::Type::Verbatim(future)));
    if let Some(body) = &mut method.default {
        *body = moved(body);
    }
}

fn is_name(pat: &Pat) -> bool {
    matches!(pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.mutability.is_none() && pat.subpat.is_none())
}

fn moved(body: &Block) -> Block {
    let stmt = syn::Stmt::Expr(syn::Expr::Verbatim(emit!(async move #body)), None);
    Block { brace_token: body.brace_token, stmts: vec![stmt] }
}
