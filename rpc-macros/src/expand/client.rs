//! The client: a method for each of the trait's, and the trait itself where every method can fail.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse_quote;

use super::bounds::{self, Bounds};
use super::cfgs;
use super::descriptor::static_name;
use crate::model::{ArgKind, Method, Output, Service, Value, plain};

/// Emits the client's type.
pub(crate) fn definition(service: &Service) -> TokenStream {
    let (name, over, vis) = (&service.names.client, &service.names.service, &service.item.vis);
    let (krate, generics) = (&service.krate, &service.item.generics);
    let cfgs = cfgs(&service.item.attrs);
    let params = bounds::params(generics, true);
    let predicates = bounds::predicates(generics);
    let predicates = (!predicates.is_empty()).then(|| emit!(where #predicates));
    let request = bounds::request(service, &parse_quote!('static));
    let docs =
        format!("Calls a [`{}`] that is elsewhere; cloning costs a reference count.", service.item.ident);
    emit! {
        #(#cfgs)*
        #[doc = #docs]
        #[allow(dead_code, unreachable_pub)]
        #vis struct #name<#(#params,)* #over = #krate::__private::Channel>(
            #krate::__private::Client<#request, #over>
        ) #predicates;
    }
}

/// Emits what the client implements.
pub(crate) fn impls(service: &Service, bounds: &Bounds, complete: bool) -> TokenStream {
    let (name, over, vis) = (&service.names.client, &service.names.service, &service.item.vis);
    let generics = &service.item.generics;
    let params = bounds::params(generics, false);
    let args = bounds::args(generics, None);
    let predicates = bounds::impl_predicates(generics);
    let request = bounds::request(service, &parse_quote!('w));
    let sent = &bounds.sent;
    let methods = service.methods.iter().map(|method| call_method(service, method));
    let can_stand_in = complete && service.methods.iter().all(|method| method.output.can_fail());
    let stand_in = can_stand_in.then(|| stand_in(service, bounds));
    emit! {
        __farcall::client!(#vis [#(#params,)*] #name [#(#args,)*] #over where [#predicates]);

        impl<#(#params,)* #over: __farcall::Service> #name<#(#args,)* #over>
        where #predicates for<'w> #request: __farcall::Message<'w>, #(#sent),*
        {
            #(#methods)*
        }

        #stand_in
    }
}

fn call_method(service: &Service, method: &Method) -> TokenStream {
    let (vis, ident) = (&service.item.vis, &method.ident);
    let (cfgs, marks, docs) = (cfgs(&method.cfgs), &method.marks, docs(method));
    let args = method.args.fields.iter().map(|arg| {
        let (ident, ty) = (&arg.ident, &arg.ty);
        quote!(#ident: #ty)
    });
    let stream = &service.names.stream;
    let stream_arg = method.args.stream.as_ref().map(|arg| {
        let ident = &arg.ident;
        emit!(#ident: #stream)
    });
    let stream_param = method.args.stream.as_ref().map(|arg| {
        let item = &arg.item;
        emit!(<#stream: __farcall::Stream<Item = #item> + ::core::marker::Send + 'static>)
    });
    let args = args.chain(stream_arg);
    let captured = bounds::args(&service.item.generics, Some(&service.names.service)).into_iter();
    let captured = captured.chain(method.args.stream.as_ref().map(|_| stream.to_token_stream()));
    let (reply, request, descriptor) = (reply(method), request(service, method), static_name(method));
    let call = match &method.args.stream {
        None => emit!(self.0.call(&#descriptor, #request)),
        Some(arg) => {
            let items = &arg.ident;
            emit!(self.0.call_with_items(&#descriptor, #request, __farcall::Own(#items)))
        }
    };
    emit! {
        #docs
        #(#cfgs)*
        #(#marks)*
        #vis fn #ident #stream_param(&self #(, #args)*)
            -> __farcall::Call<#reply, impl __farcall::Start + use<#(#captured),*>>
        {
            #call
        }
    }
}

fn docs(method: &Method) -> TokenStream {
    if method.docs.is_empty() {
        let docs = format!("Calls `{}`.", plain(&method.ident));
        return emit!(#[doc = #docs]);
    }
    let docs = &method.docs;
    quote!(#(#docs)*)
}

/// Returns the marker of what a call gives.
fn reply(method: &Method) -> TokenStream {
    match &method.output {
        Output::Value(_) if method.options.oneway.is_some() => emit!(__farcall::Nothing),
        Output::Value(value) => marker(value),
        Output::Items(item) => {
            let item = marker(item);
            emit!(__farcall::Items<#item>)
        }
        Output::FallibleItems { item, head } => {
            let (item, head) = (marker(item), &head.whole);
            emit!(__farcall::FallibleItems<#item, #head>)
        }
    }
}

fn marker(value: &Value) -> TokenStream {
    let ty = value.ty();
    match value {
        Value::Plain(_) => emit!(__farcall::Plain<#ty>),
        Value::Fallible(_) => emit!(__farcall::Fallible<#ty>),
    }
}

/// Encodes the request's variant, made of the arguments.
fn request(service: &Service, method: &Method) -> TokenStream {
    let (name, variant) = (&service.names.request, &method.variant);
    let ty = bounds::request(service, &parse_quote!('_));
    // Where the service is generic, the variant alone may not say over what.
    let turbofish = (!bounds::names(&service.item.generics).is_empty()).then(|| emit!(::<#ty>));
    let fields = method.args.fields.iter().map(|arg| {
        let ident = &arg.ident;
        match arg.kind {
            ArgKind::Owned => emit!(#ident),
            ArgKind::Str | ArgKind::Bytes => emit!(#ident: ::std::borrow::Cow::Borrowed(#ident)),
        }
    });
    emit!(self.0.request #turbofish(&#name::#variant { #(#fields),* }))
}

/// Emits the trait for the client; the impl is there where every error can be made from farcall's.
fn stand_in(service: &Service, bounds: &Bounds) -> TokenStream {
    let (name, over) = (&service.names.client, &service.names.service);
    let generics = &service.item.generics;
    let params = bounds::params(generics, false);
    let args = bounds::args(generics, Some(over));
    let predicates = bounds::impl_predicates(generics);
    let contract = bounds::trait_path(service);
    let (travels, own_errors) = (&bounds.travels_plainly, &bounds.own_errors);
    let supertraits = bounds::supertraits(service);
    let supertraits = (!supertraits.is_empty()).then(|| emit!(Self: #(#supertraits)+*,));
    let methods = service.methods.iter().map(|method| stand_in_method(service, method));
    emit! {
        impl<#(#params,)* #over: __farcall::Service> #contract for #name<#(#args),*>
        where #predicates #supertraits #(#travels,)* #(#own_errors),*
        {
            #(#methods)*
        }
    }
}

fn stand_in_method(service: &Service, method: &Method) -> TokenStream {
    let (cfgs, ident, output, asyncness) =
        (cfgs(&method.cfgs), &method.ident, &method.sig.output, &method.sig.asyncness);
    let fields = &method.args.fields;
    let names = fields.iter().map(|arg| &arg.ident);
    let args = fields.iter().map(|arg| (&arg.ident, &arg.ty));
    let args = args.chain(method.args.stream.iter().map(|arg| (&arg.ident, &arg.ty)));
    let args = args.map(|(ident, ty)| quote!(#ident: #ty));
    let call = match &method.args.stream {
        None => emit!(Self::#ident(self #(, #names)*)),
        // The client's own method takes a stream whose items cannot fail; this one passes on what failed elsewhere.
        Some(arg) => {
            let (reply, request) = (reply(method), request(service, method));
            let (descriptor, items) = (static_name(method), &arg.ident);
            emit!(self.0.call_with_items::<#reply, _>(&#descriptor, #request, #items))
        }
    };
    let body = match &method.output {
        Output::Value(_) => emit!(__farcall::FromCall::from_call(#call.await)),
        Output::Items(_) => emit!(__farcall::items_of_call(#call)),
        Output::FallibleItems { head, .. } => {
            let head = &head.whole;
            emit!(<#head as __farcall::FromCall<'_>>::own_error(#call.await).map(__farcall::own_items))
        }
    };
    emit! {
        #(#cfgs)*
        #asyncness fn #ident(&self #(, #args)*) #output {
            #body
        }
    }
}
