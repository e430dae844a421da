//! A call on its way: what is asked, and what is answered.

mod certificate;
mod until;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::{
    Body, Caller, CodecKind, Error, ItemStream, Message, Metadata, MethodDescriptor, MethodId, ServerTimes,
    Service, message,
};

pub use certificate::PeerCertificate;

/// A call as layers and transports see it: a method, what travels beside the arguments, and the encoded arguments.
#[derive(Debug)]
pub struct Request {
    method: MethodId,
    descriptor: Option<&'static MethodDescriptor>,
    deadline: Option<Instant>,
    metadata: Metadata,
    peer: Option<Peer>,
    caller: Option<Caller>,
    codec: CodecKind,
    wants_server_times: bool,
    body: Body,
}

impl Request {
    /// Asks for a method that this program knows.
    pub fn new(descriptor: &'static MethodDescriptor, codec: CodecKind, body: Body) -> Self {
        Self { descriptor: Some(descriptor), ..Self::by_id(descriptor.id(), codec, body) }
    }

    /// Asks for a method of which only the id is known, as a proxy does.
    pub fn by_id(method: MethodId, codec: CodecKind, body: Body) -> Self {
        let (metadata, peer, caller) = (Metadata::new(), None, None);
        let (descriptor, deadline, wants_server_times) = (None, None, false);
        Self { method, descriptor, deadline, metadata, peer, caller, codec, wants_server_times, body }
    }

    /// Returns the method's id.
    pub fn method(&self) -> MethodId {
        self.method
    }

    /// Returns the method's description, where this program knows it.
    pub fn descriptor(&self) -> Option<&'static MethodDescriptor> {
        self.descriptor
    }

    /// Describes the method, as a router does once it has found it.
    pub fn set_descriptor(&mut self, descriptor: &'static MethodDescriptor) {
        self.descriptor = Some(descriptor);
    }

    /// Describes the method as `service` does, unless it is described already: what wraps a service calls this before it reads
    /// [`descriptor`](Self::descriptor).
    pub fn find_descriptor(&mut self, service: &impl Service) {
        if self.descriptor.is_none() {
            self.descriptor = service.find_method(self.method);
        }
    }

    /// Returns when the call must be over.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sets when the call must be over.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Returns what travels beside the arguments.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns what travels beside the arguments, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Returns who calls; none on the calling side.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// Says who calls, as a server's connection does.
    pub fn set_peer(&mut self, peer: Peer) {
        self.peer = Some(peer);
    }

    /// Returns whom the call was proved to come from; none where no layer has looked, and on the calling side.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Says whom the call comes from, as a layer does that has proof. It stays in this process.
    pub fn set_caller(&mut self, caller: Option<Caller>) {
        self.caller = caller;
    }

    /// Returns the codec of the body.
    pub fn codec(&self) -> CodecKind {
        self.codec
    }

    /// Tells whether the server is asked how long it takes, see [`Response::server_times`].
    pub fn wants_server_times(&self) -> bool {
        self.wants_server_times
    }

    /// Asks the server how long it takes, as a layer does that tells the network from the server. What fails says so unasked.
    pub fn ask_server_times(&mut self) {
        self.wants_server_times = true;
    }

    /// Returns the encoded arguments.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Takes the encoded arguments out and leaves none.
    pub fn take_body(&mut self) -> Body {
        std::mem::replace(&mut self.body, Body::new(bytes::Bytes::new()))
    }

    /// Replaces the stream of items that follows the arguments, where there is one, as a layer that watches items does.
    #[must_use]
    pub fn map_items(mut self, change: impl FnOnce(ItemStream) -> ItemStream) -> Self {
        self.body.change_items(change);
        self
    }

    /// Takes the items out that follow the message, where there are any.
    pub fn take_items(&mut self) -> Option<ItemStream> {
        self.body.take_items()
    }

    pub(crate) fn take_peer(&mut self) -> Option<Peer> {
        self.peer.take()
    }

    pub(crate) fn take_caller(&mut self) -> Option<Caller> {
        self.caller.take()
    }

    pub(crate) fn take_metadata(&mut self) -> Metadata {
        std::mem::take(&mut self.metadata)
    }

    pub(crate) fn map_body(mut self, change: impl FnOnce(Body) -> Body) -> Self {
        let body = self.take_body();
        self.body = change(body);
        self
    }

    /// Reads the request as the enum that `#[service]` generates, as a layer that records or audits does.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode): it is a request of another service, or its bytes do not fit.
    pub fn message<'a, M: Message<'a>>(&'a self) -> Result<M, Error> {
        message::decode(self.codec, self.method, self.body.message())
    }

    /// Copies a request whose body is one message, so that it can be sent again; one that streams cannot be copied.
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self {
            body: self.body.try_clone()?,
            metadata: self.metadata.clone(),
            peer: self.peer.clone(),
            caller: self.caller.clone(),
            ..*self
        })
    }

    /// Names the method for people: `Service/method`, or its id where no more is known.
    pub fn method_name(&self) -> String {
        method_name(self.method, self.descriptor)
    }
}

pub(crate) fn method_name(id: MethodId, descriptor: Option<&'static MethodDescriptor>) -> String {
    match descriptor {
        Some(descriptor) => descriptor.to_string(),
        None => format!("method {id}"),
    }
}

/// An answer as layers and transports see it.
#[derive(Debug)]
pub struct Response {
    metadata: Metadata,
    codec: CodecKind,
    failed: bool,
    server_times: Option<ServerTimes>,
    body: Body,
}

impl Response {
    /// Answers with an encoded result.
    pub fn new(codec: CodecKind, body: Body) -> Self {
        Self { metadata: Metadata::new(), codec, failed: false, server_times: None, body }
    }

    /// Marks that the result is the method's own error, so that layers can count it without decoding it.
    #[inline]
    #[must_use]
    pub fn with_failed(mut self, failed: bool) -> Self {
        self.failed = failed;
        self
    }

    /// Attaches what travels beside the result.
    #[inline]
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Says how long the server took, as a connection does that has heard it.
    #[inline]
    #[must_use]
    pub fn with_server_times(mut self, times: Option<ServerTimes>) -> Self {
        self.server_times = times;
        self
    }

    /// Returns how long the server took, by its own clock; none where nobody has [asked](Request::ask_server_times), where the server does
    /// not say, in the server itself and without a connection in between.
    pub fn server_times(&self) -> Option<ServerTimes> {
        self.server_times
    }

    /// Returns what travels beside the result.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns what travels beside the result, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Returns the codec of the body.
    pub fn codec(&self) -> CodecKind {
        self.codec
    }

    /// Tells whether the result is the method's own error.
    pub fn is_failed(&self) -> bool {
        self.failed
    }

    /// Returns the encoded result.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Takes the items out that follow the result, where there are any.
    pub fn take_items(&mut self) -> Option<ItemStream> {
        self.body.take_items()
    }

    /// Replaces the stream of items that follows the result, where there is one, as a layer that watches items does.
    #[must_use]
    pub fn map_items(mut self, change: impl FnOnce(ItemStream) -> ItemStream) -> Self {
        self.body.change_items(change);
        self
    }

    /// Reads the response to a call of `method` as the enum that `#[service]` generates; of a method that answers with a stream, whether
    /// there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode): the service has no such method, or the bytes do not fit.
    pub fn message<'a, M: Message<'a>>(&'a self, method: MethodId) -> Result<M, Error> {
        message::decode(self.codec, method, self.body.message())
    }

    /// Takes the response apart into metadata and body.
    pub fn into_parts(self) -> (Metadata, Body) {
        (self.metadata, self.body)
    }
}

/// Who is at the other end of a connection; cloning costs a reference count.
#[derive(Clone, PartialEq, Eq)]
pub struct Peer {
    inner: Arc<PeerInner>,
}

#[derive(PartialEq, Eq)]
struct PeerInner {
    uri: Box<str>,
    certificate: Option<PeerCertificate>,
}

impl Peer {
    /// Names a peer by its URI.
    pub fn new(uri: impl Into<Box<str>>) -> Self {
        Self { inner: Arc::new(PeerInner { uri: uri.into(), certificate: None }) }
    }

    /// Attaches the certificate that the peer was verified by, as a link does.
    #[must_use]
    pub fn with_certificate(self, certificate: PeerCertificate) -> Self {
        Self { inner: Arc::new(PeerInner { uri: self.uri().into(), certificate: Some(certificate) }) }
    }

    /// Returns the URI, such as `tcp://127.0.0.1:54812`.
    pub fn uri(&self) -> &str {
        &self.inner.uri
    }

    /// Returns the certificate that the peer was verified by: on `tls://`, where the server asks its clients for one and this one has shown it.
    pub fn certificate(&self) -> Option<&PeerCertificate> {
        self.inner.certificate.as_ref()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.uri())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri())
    }
}
