//! The enums of requests and responses, and how they are encoded.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Lifetime, parse_quote};

use super::bounds::{self, Bounds, FieldBounds};
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
    let de: Lifetime = parse_quote!('de);
    let request = Impls {
        ty: bounds::request(service, &de),
        bounds: &bounds.request,
        encode: per_method(service, encode_request),
        decode: per_method(service, decode_request),
        variants: per_method(service, |method| {
            let (variant, idents) = (&method.variant, idents(method));
            emit!(#variant { #(#idents),* })
        }),
        misses_generics: request_misses(service),
    };
    let response = Impls {
        ty: bounds::response(service),
        bounds: &bounds.response,
        encode: per_method(service, encode_response),
        decode: per_method(service, |method| {
            let (variant, id) = (&method.variant, id_name(method));
            emit!(#id => decoder.output(Self::#variant),)
        }),
        variants: per_method(service, |method| {
            let variant = &method.variant;
            emit!(#variant(output))
        }),
        misses_generics: response_misses(service),
    };
    let (request, response) = (message(service, &request), message(service, &response));
    emit!(#request #response)
}

/// What differs between the impls of the two enums.
struct Impls<'b> {
    ty: TokenStream,
    bounds: &'b FieldBounds,
    /// The arms of a match on the enum, and of one on an id.
    encode: Vec<TokenStream>,
    decode: Vec<TokenStream>,
    /// The variants with the names of their fields.
    variants: Vec<TokenStream>,
    misses_generics: bool,
}

fn per_method(service: &Service, emit: impl Fn(&Method) -> TokenStream) -> Vec<TokenStream> {
    let emit = |method: &Method| {
        let (cfgs, tokens) = (cfgs(&method.cfgs), emit(method));
        emit!(#(#cfgs)* #tokens)
    };
    service.methods.iter().map(emit).collect()
}

fn message(service: &Service, impls: &Impls<'_>) -> TokenStream {
    let generics = &service.item.generics;
    let params = bounds::params(generics, false);
    let predicates = bounds::impl_predicates(generics);
    let Impls { ty, bounds, encode, decode, variants, misses_generics } = impls;
    let FieldBounds { types, travels } = bounds;
    let never = misses_generics.then(|| emit!(Self::__Unused(ref never, _) => match *never {},));
    let marker = misses_generics.then(|| emit!(; __Unused));
    emit! {
        impl<'de, #(#params),*> __farcall::Message<'de> for #ty
        where #predicates #(#travels),*
        {
            const SERVICE: &'static __farcall::ServiceDescriptor = &__FARCALL;
            fn encode<__E: __farcall::Encoder>(&self, encoder: __E) -> __E::Output {
                match *self { #(#encode)* #never }
            }
            fn decode<__D: __farcall::Decoder<'de>>(decoder: __D) -> __D::Output<Self> {
                match decoder.method() {
                    #(#decode)*
                    _ => decoder.unknown(),
                }
            }
        }
        __farcall::message!(['de, #(#params),*] #ty where [#predicates] [#(#types),*] #(#variants)* #marker);
    }
}

fn idents(method: &Method) -> Vec<&Ident> {
    method.args.fields.iter().map(|arg| &arg.ident).collect()
}

fn encode_request(method: &Method) -> TokenStream {
    let (variant, descriptor, idents) = (&method.variant, static_name(method), idents(method));
    let values = method.args.fields.iter().map(|arg| {
        let ident = &arg.ident;
        match arg.kind {
            ArgKind::Owned => emit!(#ident),
            ArgKind::Str => emit!(&**#ident),
            ArgKind::Bytes => emit!(&__farcall::AsBytes(#ident)),
        }
    });
    emit!(Self::#variant { #(ref #idents),* } => encoder.args(&#descriptor, (#(#values,)*)),)
}

fn encode_response(method: &Method) -> TokenStream {
    let (variant, descriptor) = (&method.variant, static_name(method));
    let take = match &method.output {
        Output::Value(Value::Plain(_)) | Output::Items(_) => emit!(output),
        Output::Value(Value::Fallible(_)) | Output::FallibleItems { .. } => emit!(result),
    };
    emit!(Self::#variant(ref output) => encoder.#take(&#descriptor, output),)
}

fn decode_request(method: &Method) -> TokenStream {
    let (variant, descriptor, id) = (&method.variant, static_name(method), id_name(method));
    let idents = idents(method);
    let patterns = method.args.fields.iter().map(|arg| {
        let ident = &arg.ident;
        match arg.kind {
            ArgKind::Owned => emit!(#ident),
            ArgKind::Str => emit!(__farcall::BorrowedStr(#ident)),
            ArgKind::Bytes => emit!(__farcall::BorrowedBytes(#ident)),
        }
    });
    emit!(#id => decoder.args(&#descriptor, |(#(#patterns,)*)| Self::#variant { #(#idents),* }),)
}
