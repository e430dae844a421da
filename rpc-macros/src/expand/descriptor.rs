//! The static descriptions, and the ids to match on.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::format_ident;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use super::cfgs;
use crate::model::{ArgKind, Auth, Method, Service, plain, return_text, text};

/// Returns the name of a method's description. The method's own name is in it as it stands, for methods differ in it.
pub(crate) fn static_name(method: &Method) -> Ident {
    format_ident!("__FARCALL_{}", plain(&method.ident))
}

/// Returns the name of the constant that holds a method's id.
pub(crate) fn id_name(method: &Method) -> Ident {
    format_ident!("__FARCALL_ID_{}", plain(&method.ident))
}

/// Emits a static for the service and one for each method.
pub(crate) fn descriptors(service: &Service) -> TokenStream {
    let name = &service.wire_name;
    let version = service.version.as_ref().map(|version| emit!(.with_version(#version)));
    let docs = with_docs(&service.item.attrs);
    let entries = service.methods.iter().map(|method| {
        let (cfgs, method) = (cfgs(&method.cfgs), static_name(method));
        emit!(#(#cfgs)* &#method)
    });
    let methods = service.methods.iter().map(|method| descriptor(name, method));
    emit! {
        static __FARCALL: __farcall::ServiceDescriptor =
            __farcall::ServiceDescriptor::new(#name, &[#(#entries),*]) #version #docs;
        #(#methods)*
    }
}

fn descriptor(service: &str, method: &Method) -> TokenStream {
    let (cfgs, ident, id) = (cfgs(&method.cfgs), static_name(method), id_name(method));
    let name = &method.wire_name;
    let explicit_id = method.options.id.map(|(id, _)| emit!(.with_id(#id)));
    let kind = match (method.args.stream.is_some(), method.output.is_stream()) {
        (false, false) => None,
        (true, false) => Some(emit!(.with_kind(__farcall::MethodKind::ClientStreaming))),
        (false, true) => Some(emit!(.with_kind(__farcall::MethodKind::ServerStreaming))),
        (true, true) => Some(emit!(.with_kind(__farcall::MethodKind::Bidirectional))),
    };
    let output = return_text(&method.sig.output);
    let output = (output != "()").then(|| emit!(.with_output(#output)));
    let docs = with_docs(&method.docs);
    let idempotent = method.options.idempotent.then(|| emit!(.with_idempotent()));
    let oneway = method.options.oneway.map(|_| emit!(.with_oneway()));
    let timeout = method.options.timeout.map(with_timeout);
    let auth = method.options.auth.as_ref().map(with_auth);
    let args = with_args(method);
    emit! {
        #(#cfgs)*
        static #ident: __farcall::MethodDescriptor = __farcall::MethodDescriptor::new(#service, #name)
            #explicit_id #kind #args #output #docs #idempotent #oneway #timeout #auth;
        #(#cfgs)*
        const #id: __farcall::MethodId = #ident.id();
    }
}

fn with_args(method: &Method) -> Option<TokenStream> {
    let fields = &method.args.fields;
    let names = fields.iter().map(|arg| plain(&arg.ident));
    let types = fields.iter().map(|arg| match arg.kind {
        ArgKind::Str => "&str".to_owned(),
        ArgKind::Bytes => "&[u8]".to_owned(),
        ArgKind::Owned => text(&arg.ty),
    });
    (!fields.is_empty()).then(|| emit!(.with_args(&[#(#names),*], &[#(#types),*])))
}

fn with_timeout(timeout: Duration) -> TokenStream {
    let (seconds, nanos) = (timeout.as_secs(), timeout.subsec_nanos());
    emit!(.with_timeout(::core::time::Duration::new(#seconds, #nanos)))
}

fn with_auth(rule: &Auth) -> TokenStream {
    let rule = match rule {
        Auth::None => emit!(None),
        Auth::Caller => emit!(Caller),
        Auth::AnyOf(lists) => {
            let lists = lists.iter().map(|rights| emit!(&[#(#rights),*]));
            emit!(AnyOf(&[#(#lists),*]))
        }
    };
    emit!(.with_auth(__farcall::AuthRule::#rule))
}

fn with_docs(attrs: &[Attribute]) -> Option<TokenStream> {
    let lines: Vec<_> = attrs.iter().filter_map(doc).collect();
    let docs = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n");
    let docs = docs.trim();
    (!docs.is_empty()).then(|| emit!(.with_docs(#docs)))
}

fn doc(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
