//! The server: it runs requests on the user's handler.

use proc_macro2::TokenStream;
use syn::parse_quote;

use super::bounds::{self, Bounds};
use super::cfgs;
use crate::model::{ArgKind, Method, Output, Service};

/// Emits the server's type.
pub(crate) fn definition(service: &Service) -> TokenStream {
    let (name, handler, vis) = (&service.names.server, &service.names.handler, &service.item.vis);
    let (krate, cfgs) = (&service.krate, cfgs(&service.item.attrs));
    let params = bounds::bare_params(&service.item.generics);
    let request = bounds::request(service, &parse_quote!('static));
    // The page of an alias lists no functions, so its first line names the one that is needed.
    let docs = format!(
        "Serves a [`{}`] to clients elsewhere: `new(handler)` makes one; cloning costs a reference count.",
        service.item.ident
    );
    emit! {
        #(#cfgs)*
        #[doc = #docs]
        #[allow(dead_code, unreachable_pub)]
        #vis type #name<#(#params,)* #handler> = #krate::__private::Dispatcher<#request, #handler>;
    }
}

/// Emits what makes a server of the enum of requests.
pub(crate) fn dispatch(service: &Service, bounds: &Bounds) -> TokenStream {
    let handler = &service.names.handler;
    let generics = &service.item.generics;
    let params = bounds::params(generics, false);
    let predicates = bounds::impl_predicates(generics);
    let contract = bounds::trait_path(service);
    let own = bounds::request(service, &parse_quote!('static));
    let (request, response) = (bounds::request(service, &parse_quote!('a)), bounds::response(service));
    let any_request = bounds::request(service, &parse_quote!('_));
    let travels = &bounds.travels;
    let arms = service.methods.iter().map(|method| arm(service, method));
    emit! {
        impl<#(#params,)* #handler: #contract> __farcall::Dispatch<#handler> for #own
        where #predicates #(#travels),*
        {
            type Request<'a> = #request;
            type Response = #response;
            async fn run(
                handler: &#handler,
                request: #any_request,
                streams: &mut __farcall::Streams,
            ) -> #response {
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
    let call = emit!(<#handler as #contract>::#ident(handler #(, #values)*));
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
