//! What a service is made of, as static data that tools can read.

use std::fmt;
use std::time::Duration;

use crate::AuthRule;

/// Names a method on the wire: a hash of its service's and its own name, or the id that the trait gives it.
///
/// Never a position: adding, removing and reordering methods changes no other method's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodId(u64);

impl MethodId {
    /// Takes an explicit id, as `#[rpc(id = …)]` does.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// Hashes `service/method` with 64-bit FNV-1a (Fowler, Noll, Vo), in a constant as well as at run time.
    pub const fn hash(service: &str, method: &str) -> Self {
        let hash = fnv1a(FNV_OFFSET, service.as_bytes());
        let hash = fnv1a(hash, b"/");
        Self(fnv1a(hash, method.as_bytes()))
    }

    /// Returns the number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

const fn fnv1a(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(FNV_PRIME);
        index += 1;
    }
    hash
}

impl fmt::Debug for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

/// Which sides of a method's call are streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums)] // two sides, each a stream or not: there is no fifth
pub enum MethodKind {
    /// One request, one response.
    Unary,
    /// A stream of items and one response.
    ClientStreaming,
    /// One request, a stream of items.
    ServerStreaming,
    /// A stream of items each way.
    Bidirectional,
}

impl MethodKind {
    /// Tells whether the caller sends a stream.
    pub const fn streams_request(self) -> bool {
        matches!(self, Self::ClientStreaming | Self::Bidirectional)
    }

    /// Tells whether the handler answers with a stream.
    pub const fn streams_response(self) -> bool {
        matches!(self, Self::ServerStreaming | Self::Bidirectional)
    }
}

/// A method, as its trait describes it.
///
/// Generated code builds it as a constant; every part can be read.
#[derive(Debug)]
pub struct MethodDescriptor {
    service: &'static str,
    name: &'static str,
    id: MethodId,
    kind: MethodKind,
    args: &'static [&'static str],
    arg_types: &'static [&'static str],
    output: &'static str,
    docs: &'static str,
    idempotent: bool,
    oneway: bool,
    timeout: Option<Duration>,
    auth: Option<AuthRule>,
}

impl MethodDescriptor {
    /// Describes a unary method without arguments; the other functions add to it.
    pub const fn new(service: &'static str, name: &'static str) -> Self {
        Self {
            service,
            name,
            id: MethodId::hash(service, name),
            kind: MethodKind::Unary,
            args: &[],
            arg_types: &[],
            output: "()",
            docs: "",
            idempotent: false,
            oneway: false,
            timeout: None,
            auth: None,
        }
    }

    /// Sets an explicit id.
    #[must_use]
    pub const fn with_id(mut self, id: u64) -> Self {
        self.id = MethodId::new(id);
        self
    }

    /// Sets which sides are streams.
    #[must_use]
    pub const fn with_kind(mut self, kind: MethodKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the names and types of the arguments, without the stream.
    #[must_use]
    pub const fn with_args(mut self, names: &'static [&'static str], types: &'static [&'static str]) -> Self {
        assert!(names.len() == types.len(), "each argument has a name and a type");
        self.args = names;
        self.arg_types = types;
        self
    }

    /// Sets the type that the method returns, as it is written.
    #[must_use]
    pub const fn with_output(mut self, output: &'static str) -> Self {
        self.output = output;
        self
    }

    /// Sets the doc comment.
    #[must_use]
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Marks that running it twice does no more than running it once.
    #[must_use]
    pub const fn with_idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Marks that nothing is answered.
    #[must_use]
    pub const fn with_oneway(mut self) -> Self {
        self.oneway = true;
        self
    }

    /// Sets how long a call may take where the caller does not say.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets who may call it.
    #[must_use]
    pub const fn with_auth(mut self, rule: AuthRule) -> Self {
        self.auth = Some(rule);
        self
    }

    /// Returns the service's name on the wire.
    pub const fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the method's name on the wire.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the id on the wire.
    pub const fn id(&self) -> MethodId {
        self.id
    }

    /// Returns which sides are streams.
    pub const fn kind(&self) -> MethodKind {
        self.kind
    }

    /// Returns the names of the arguments, without the stream.
    pub const fn args(&self) -> &'static [&'static str] {
        self.args
    }

    /// Returns the types of the arguments as they are written, in the order of [`args`](Self::args).
    pub const fn arg_types(&self) -> &'static [&'static str] {
        self.arg_types
    }

    /// Returns the type that the method returns, as it is written.
    pub const fn output(&self) -> &'static str {
        self.output
    }

    /// Returns the doc comment.
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// Tells whether running it twice does no more than running it once.
    pub const fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Tells whether nothing is answered.
    pub const fn is_oneway(&self) -> bool {
        self.oneway
    }

    /// Returns how long a call may take where the caller does not say; none where the trait does not say either.
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Returns who may call it; none where the trait does not say.
    pub const fn auth(&self) -> Option<AuthRule> {
        self.auth
    }
}

/// Shows `Service/method`.
impl fmt::Display for MethodDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.name)
    }
}

/// A service, as its trait describes it.
#[derive(Debug)]
pub struct ServiceDescriptor {
    name: &'static str,
    version: &'static str,
    docs: &'static str,
    methods: &'static [&'static MethodDescriptor],
}

impl ServiceDescriptor {
    /// Describes a service; generated code calls this in a constant, so a collision of ids does not compile.
    ///
    /// # Panics
    /// Where two methods have one id: in a constant, that is a compile-time error.
    pub const fn new(name: &'static str, methods: &'static [&'static MethodDescriptor]) -> Self {
        let mut index = 0;
        while index < methods.len() {
            let mut other = index + 1;
            while other < methods.len() {
                assert!(
                    methods[index].id.0 != methods[other].id.0,
                    "two methods of this service have the same id on the wire: give one of them another #[rpc(id = …)]"
                );
                other += 1;
            }
            index += 1;
        }
        Self { name, version: "", docs: "", methods }
    }

    /// Sets the version.
    #[must_use]
    pub const fn with_version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Sets the doc comment.
    #[must_use]
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Returns the name on the wire.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the version; empty where the trait gives none.
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// Returns the doc comment.
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// Returns the methods in the order of the trait.
    pub const fn methods(&self) -> &'static [&'static MethodDescriptor] {
        self.methods
    }

    /// Finds a method by its id.
    pub fn method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.methods.iter().copied().find(|method| method.id == id)
    }
}
