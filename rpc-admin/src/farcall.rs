//! What generated code names, where `farcall` itself cannot be named: it depends on this crate.

pub(crate) mod __private {
    pub(crate) use rpc_core::__private::*;
    pub(crate) use rpc_core::{
        AuthRule, Call, Client, CodecKind, Dispatcher, Error, Message, MethodDescriptor, MethodId,
        MethodKind, Service, ServiceDescriptor, Start,
    };
    pub(crate) use rpc_transport::Channel;
}
