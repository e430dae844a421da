//! The span of one call: what it is called, and how it ends.

use rpc_core::{Code, Error, Request, TraceParent};
use tracing::field::{Empty, display};
use tracing::{Span, info_span};

use super::TARGET;
use super::address::Address;
use super::carried::{self, Carried};

/// So much of a failure's message is kept, in bytes.
const MESSAGE_BYTES_MAX: usize = 512;

/// Which side of a call a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    Server,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// Tells whether this side has failed. A caller has, whatever the code; a server has not where the call was at fault, as in
    /// OpenTelemetry's conventions for gRPC.
    fn is_error(self, code: Code) -> bool {
        let is_servers = matches!(
            code,
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        );
        self == Self::Client || is_servers
    }
}

/// A span that says how its call ended, also where the call is dropped.
pub(super) struct CallSpan {
    span: Span,
    kind: Kind,
    is_over: bool,
}

impl CallSpan {
    /// Begins the span of a call, and has the call carry it as the parent of what it causes.
    pub(super) fn begin(
        kind: Kind,
        address: Option<&Address>,
        request: &mut Request,
        carried: &Carried,
        here: TraceParent,
    ) -> Self {
        let span = make(kind, address, request);
        let here = adopt(&span, kind, request, carried).unwrap_or(here);
        carried::set_parent(request.metadata_mut(), here);
        span.record("trace_id", display(format_args!("{:032x}", here.trace_id())));
        span.record("span_id", display(format_args!("{:016x}", here.parent_id())));
        if let Some(parent) = carried.parent {
            span.record("parent_span_id", display(format_args!("{:016x}", parent.parent_id())));
        }
        Self { span, kind, is_over: false }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// The call has an answer, perhaps the method's own error.
    pub(super) fn succeed(&mut self, is_failed: bool) {
        self.is_over = true;
        self.span.record("rpc.response.status_code", "OK");
        if is_failed {
            self.span.record("farcall.failed", true);
            if self.kind == Kind::Client {
                self.mark("method_error");
            }
        }
    }

    /// The call has failed.
    pub(super) fn fail(&mut self, error: &Error) {
        let code = error.code();
        self.end(code);
        if self.kind.is_error(code) {
            let mut message = error.to_string();
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            self.span.record("otel.status_description", message);
            match error.status() {
                Some(_) => self.mark(code.name()),
                // No peer has said anything: what failed here says more than the code that fits it.
                None => self.mark(&format!("{:?}", error.kind())),
            }
        }
    }

    fn end(&mut self, code: Code) {
        self.is_over = true;
        self.span.record("rpc.response.status_code", code.name());
    }

    fn mark(&self, error_type: &str) {
        self.span.record("error.type", error_type);
        self.span.record("otel.status_code", "ERROR");
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if std::thread::panicking() {
            self.end(Code::Internal);
            self.mark("panic");
            return;
        }
        self.end(Code::Cancelled);
        if self.kind.is_error(Code::Cancelled) {
            self.mark(Code::Cancelled.name());
        }
    }
}

/// Makes a span as OpenTelemetry's conventions for RPC have it, in version 1.42, and with `rpc.service` of earlier ones.
fn make(kind: Kind, server: Option<&Address>, request: &Request) -> Span {
    let descriptor = request.descriptor();
    let method = descriptor.map(ToString::to_string);
    let unknown = descriptor.is_none().then(|| request.method().to_string());
    let client = request.peer().map(|peer| Address::parse(peer.uri()));
    let peer = match kind {
        Kind::Server => client.as_ref(),
        Kind::Client => server.filter(|server| server.is_of_network),
    };
    info_span!(
        target: TARGET,
        "call",
        otel.name = method.as_deref().unwrap_or("farcall"),
        otel.kind = kind.name(),
        rpc.system.name = "farcall",
        rpc.service = descriptor.map(|descriptor| descriptor.service()),
        rpc.method = method.as_deref().unwrap_or("_OTHER"),
        rpc.method_original = unknown,
        server.address = server.map(|server| server.name.as_str()),
        server.port = server.and_then(|server| server.port),
        network.peer.address = peer.map(|peer| peer.name.as_str()),
        network.peer.port = peer.and_then(|peer| peer.port),
        rpc.response.status_code = Empty,
        farcall.failed = Empty,
        error.type = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
        trace_id = Empty,
        span_id = Empty,
        parent_span_id = Empty,
    )
}

#[cfg(feature = "opentelemetry")]
fn adopt(span: &Span, kind: Kind, request: &mut Request, carried: &Carried) -> Option<TraceParent> {
    let (here, state) = super::otel::adopt(span, carried, kind == Kind::Server)?;
    if let Some(state) = state {
        request.metadata_mut().insert(rpc_core::TRACESTATE, state);
    }
    Some(here)
}

/// Without OpenTelemetry, nobody else gives spans ids.
#[cfg(not(feature = "opentelemetry"))]
fn adopt(_: &Span, _: Kind, _: &mut Request, _: &Carried) -> Option<TraceParent> {
    None
}
