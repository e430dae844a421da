//! The enums of requests and responses, and how they are encoded.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Lifetime, parse_quote};

use super::bounds::{self, Bounds};
use super::cfgs;
use super::descriptor::{id_name, static_name};
use crate::model::{Arg, ArgKind, Method, Output, Service, Used, Value};

/// Emits the enum of requests.
pub(crate) fn request(service: &Service) -> TokenStream {
    let name = &service.names.request;
    let lifetime = service.borrows().then(|| emit!('a,));
    let variants = service.methods.iter().map(|method| {
        let (cfgs, docs, ident) = (cfgs(&method.cfgs), &method.docs, &method.variant);
        let fields = method.args.fields.iter().map(field);
        let fields = (!method.args.fields.is_empty()).then(|| emit!({ #(#fields),* }));
        emit!(#(#docs)* #(#cfgs)* #ident #fields)
    });
    let docs =
        format!("The requests of [`{}`]: a variant for each method, with its arguments.", service.item.ident);
    definition(service, &docs, name, lifetime.as_ref(), variants, request_misses(service))
}

/// Emits the enum of responses.
pub(crate) fn response(service: &Service) -> TokenStream {
    let name = &service.names.response;
    let variants = service.methods.iter().map(|method| {
        let (cfgs, docs, ident) = (cfgs(&method.cfgs), &method.docs, &method.variant);
        let ty = response_type(method);
        emit!(#(#docs)* #(#cfgs)* #ident(#ty))
    });
    let docs =
        format!("The responses of [`{}`]: a variant for each method, with its result.", service.item.ident);
    definition(service, &docs, name, None, variants, response_misses(service))
}

fn definition(
    service: &Service,
    docs: &str,
    name: &Ident,
    lifetime: Option<&TokenStream>,
    variants: impl Iterator<Item = TokenStream>,
    misses_generics: bool,
) -> TokenStream {
    let generics = &service.item.generics;
    let (cfgs, vis) = (cfgs(&service.item.attrs), &service.item.vis);
    let params = bounds::params(generics, true);
    let params = (lifetime.is_some() || !params.is_empty()).then(|| emit!(<#lifetime #(#params),*>));
    let predicates = bounds::predicates(generics);
    let predicates = (!predicates.is_empty()).then(|| emit!(where #predicates));
    let types = bounds::type_names(generics);
    let borrow = lifetime.map(|_| emit!(&'a ()));
    let never = misses_generics.then(|| {
        let used = emit!(::core::marker::PhantomData<(#(fn() -> #types,)* #borrow)>);
        emit!(#[doc(hidden)] __Unused(::core::convert::Infallible, #used))
    });
    let variants = variants.chain(never);
    emit! {
        #(#cfgs)*
        #[doc = #docs]
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::exhaustive_enums)]
        #vis enum #name #params #predicates { #(#variants),* }
    }
}

fn field(arg: &Arg) -> TokenStream {
    let (ident, ty) = (&arg.ident, &arg.ty);
    match arg.kind {
        ArgKind::Owned => emit!(#ident: #ty),
        ArgKind::Str => emit!(#ident: ::std::borrow::Cow<'a, ::core::primitive::str>),
        ArgKind::Bytes => emit!(#ident: ::std::borrow::Cow<'a, [::core::primitive::u8]>),
    }
}

fn response_type(method: &Method) -> TokenStream {
    match &method.output {
        Output::Value(value) => {
            let ty = value.ty();
            quote!(#ty)
        }
        Output::Items(_) => emit!(()),
        Output::FallibleItems { head, .. } => {
            let ty = &head.whole;
            quote!(#ty)
        }
    }
}

/// Tells whether a type parameter is in no variant that is always there.
fn misses<'s>(service: &'s Service, tokens: impl Fn(&'s Method) -> TokenStream) -> bool {
    let used = service.methods.iter().filter(|method| method.cfgs.is_empty()).map(tokens).collect();
    let used = Used::of(used);
    bounds::type_names(&service.item.generics).iter().any(|name| !used.contains(name))
}

fn request_misses(service: &Service) -> bool {
    let lifetime_missed = service.borrows()
        && !service.methods.iter().filter(|method| method.cfgs.is_empty()).any(Method::borrows);
    misses(service, |method| method.args.fields.iter().map(field).collect()) || lifetime_missed
}

fn response_misses(service: &Service) -> bool {
    misses(service, response_type)
}

/// Emits what the enums implement.
pub(crate) fn impls(service: &Service, bounds: &Bounds) -> TokenStream {
    let request_arms = Arms {
        method: per_method(service, |method| {
            let (variant, descriptor) = (&method.variant, static_name(method));
            emit!(Self::#variant { .. } => &#descriptor,)
        }),
        failed: Vec::new(),
        encode: per_method(service, encode_request),
        decode: per_method(service, decode_request),
        members: per_method(service, |method| {
            let (variant, fields) =
                (&method.variant, method.args.fields.iter().map(|arg| &arg.ident).collect::<Vec<_>>());
            emit!(#variant { #(#fields: #fields),* })
        }),
    };
    let response_arms = Arms {
        method: request_arms.method.clone(),
        failed: per_method(service, |method| match &method.output {
            Output::Value(Value::Fallible(_)) | Output::FallibleItems { .. } => {
                let variant = &method.variant;
                emit!(Self::#variant(ref value) => __farcall::IsResult::is_failure(value),)
            }
            _ => TokenStream::new(),
        }),
        encode: per_method(service, |method| {
            let variant = &method.variant;
            emit!(Self::#variant(ref value) => __farcall::encode_output(serializer, value),)
        }),
        decode: per_method(service, |method| {
            let (variant, id) = (&method.variant, id_name(method));
            emit!(#id => __farcall::decode_output(deserializer).map(Self::#variant),)
        }),
        members: per_method(service, |method| {
            let variant = &method.variant;
            emit!(#variant { 0: value })
        }),
    };
    let de: Lifetime = parse_quote!('de);
    let request = message(
        service,
        bounds,
        &bounds::request(service, &de),
        &bounds.request,
        request_misses(service),
        &request_arms,
    );
    let response = message(
        service,
        bounds,
        &bounds::response(service),
        &bounds.response,
        response_misses(service),
        &response_arms,
    );
    emit!(#request #response)
}

/// What differs between the impls of the two enums: the arms of their matches.
struct Arms {
    method: Vec<TokenStream>,
    failed: Vec<TokenStream>,
    encode: Vec<TokenStream>,
    decode: Vec<TokenStream>,
    members: Vec<TokenStream>,
}

fn per_method(service: &Service, arm: impl Fn(&Method) -> TokenStream) -> Vec<TokenStream> {
    let arm = |method| {
        let arm = arm(method);
        let cfgs = cfgs(&method.cfgs);
        if arm.is_empty() { arm } else { emit!(#(#cfgs)* #arm) }
    };
    service.methods.iter().map(arm).collect()
}

fn message(
    service: &Service,
    bounds: &Bounds,
    ty: &TokenStream,
    types: &[TokenStream],
    misses_generics: bool,
    arms: &Arms,
) -> TokenStream {
    let generics = &service.item.generics;
    let params = bounds::params(generics, false);
    let predicates = bounds::impl_predicates(generics);
    let travels = &bounds.travels;
    let never = misses_generics.then(|| emit!(Self::__Unused(ref never, _) => match *never {},));
    let marker = misses_generics.then(|| emit!(; __Unused));
    let Arms { method, failed, encode, decode, members } = arms;
    let is_failed = failed.iter().any(|arm| !arm.is_empty()).then(|| {
        emit! {
            fn is_failed(&self) -> ::core::primitive::bool {
                match *self { #(#failed)* _ => false }
            }
        }
    });
    emit! {
        impl<'de, #(#params),*> __farcall::Message<'de> for #ty
        where #predicates #(#travels),*
        {
            const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
            fn method(&self) -> &'static __farcall::MethodDescriptor {
                match *self { #(#method)* #never }
            }
            #is_failed
            fn encode<__S: __farcall::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                match *self { #(#encode)* #never }
            }
            fn decode<__D: __farcall::serde::Deserializer<'de>>(
                method: __farcall::MethodId,
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                match method {
                    #(#decode)*
                    _ => ::core::result::Result::Err(__farcall::unknown_method(method)),
                }
            }
        }
        __farcall::message! {
            ['de, #(#params),*] #ty where [#predicates] [#(#travels,)*] [#(#types),*] #(#members)* #marker
        }
    }
}

fn encode_request(method: &Method) -> TokenStream {
    let (variant, descriptor, fields) = (&method.variant, static_name(method), &method.args.fields);
    let idents = fields.iter().map(|arg| &arg.ident);
    let values = fields.iter().map(|arg| {
        let ident = &arg.ident;
        match arg.kind {
            ArgKind::Owned => emit!(#ident),
            ArgKind::Str => emit!(&**#ident),
            ArgKind::Bytes => emit!(&__farcall::AsBytes(#ident)),
        }
    });
    emit! {
        Self::#variant { #(ref #idents),* } => __farcall::encode_args(serializer, &#descriptor, (#(#values,)*)),
    }
}

fn decode_request(method: &Method) -> TokenStream {
    let (variant, descriptor, id) = (&method.variant, static_name(method), id_name(method));
    let fields = &method.args.fields;
    let idents = fields.iter().map(|arg| &arg.ident);
    let patterns = fields.iter().map(|arg| {
        let ident = &arg.ident;
        match arg.kind {
            ArgKind::Owned => emit!(#ident),
            ArgKind::Str => emit!(__farcall::BorrowedStr(#ident)),
            ArgKind::Bytes => emit!(__farcall::BorrowedBytes(#ident)),
        }
    });
    emit! {
        #id => __farcall::decode_args(deserializer, &#descriptor)
            .map(|(#(#patterns,)*)| Self::#variant { #(#idents),* }),
    }
}
