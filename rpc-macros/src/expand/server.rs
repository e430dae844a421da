//! The server: it runs requests on the user's handler.

use proc_macro2::TokenStream;
use syn::parse_quote;

use super::bounds::{self, Bounds};
use super::cfgs;
use crate::model::{ArgKind, Method, Output, Service};

/// Emits the server's type.
pub(crate) fn definition(service: &Service) -> TokenStream {
    let (name, handler, vis) = (&service.names.server, &service.names.handler, &service.item.vis);
    let generics = &service.item.generics;
    let cfgs = cfgs(&service.item.attrs);
    let params = bounds::params(generics, false);
    let predicates = bounds::predicates(generics);
    let predicates = (!predicates.is_empty()).then(|| emit!(where #predicates));
    let phantom = bounds::phantom(generics);
    let docs =
        format!("Serves a [`{}`] to clients elsewhere; cloning costs a reference count.", service.item.ident);
    emit! {
        #(#cfgs)*
        #[doc = #docs]
        #[allow(dead_code, unreachable_pub)]
        #vis struct #name<#(#params,)* #handler>(::std::sync::Arc<#handler>, #phantom) #predicates;
    }
}

/// Emits what the server implements.
pub(crate) fn impls(service: &Service, bounds: &Bounds) -> TokenStream {
    let (name, handler, vis) = (&service.names.server, &service.names.handler, &service.item.vis);
    let generics = &service.item.generics;
    let params = bounds::params(generics, false);
    let args = bounds::args(generics, None);
    let predicates = bounds::impl_predicates(generics);
    let contract = bounds::trait_path(service);
    let phantom = bounds::phantom_value(generics);
    let (request, response) = (bounds::request(service, &parse_quote!('a)), bounds::response(service));
    let any_request = bounds::request(service, &parse_quote!('_));
    let travels = &bounds.travels;
    let arms = service.methods.iter().map(|method| arm(service, method));
    emit! {
        __farcall::server! {
            #vis [#(#params,)*] #name [#(#args,)*] #handler: #contract;
            __FARCALL #any_request => #response where [#predicates] [#(#travels),*] #phantom
        }

        impl<#(#params,)* #handler: #contract> __farcall::Handler for #name<#(#args,)* #handler>
        where #predicates #(#travels),*
        {
            type Request<'a> = #request;
            type Response = #response;
            async fn handle<'a>(
                &'a self,
                request: Self::Request<'a>,
                streams: &'a mut __farcall::Streams,
            ) -> Self::Response {
                match request { #(#arms)* }
            }
        }
    }
}

fn arm(service: &Service, method: &Method) -> TokenStream {
    let (cfgs, variant, ident) = (cfgs(&method.cfgs), &method.variant, &method.ident);
    let (request, response) = (&service.names.request, &service.names.response);
    let (handler, contract) = (&service.names.handler, bounds::trait_path(service));
    let fields = &method.args.fields;
    let idents = fields.iter().map(|arg| &arg.ident);
    let values = fields.iter().map(|arg| {
        let ident = &arg.ident;
        if arg.kind == ArgKind::Owned { emit!(#ident) } else { emit!(&#ident) }
    });
    let incoming = method.args.stream.iter().map(|_| emit!(incoming));
    let values = values.chain(incoming);
    let call = emit!(<#handler as #contract>::#ident(&self.0 #(, #values)*));
    let call = if method.sig.asyncness.is_some() { emit!(#call.await) } else { call };
    let result = match &method.output {
        Output::Value(_) => call,
        Output::Items(_) => emit!(streams.send(#call).await),
        Output::FallibleItems { .. } => emit!(streams.send_result(#call).await),
    };
    let result = match &method.args.stream {
        None => emit!(#response::#variant(#result),),
        Some(_) => emit!({ let incoming = streams.incoming(); #response::#variant(#result) }),
    };
    emit!(#(#cfgs)* #request::#variant { #(#idents),* } => #result)
}
