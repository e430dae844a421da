//! The proof that a method may run twice.

use std::fmt;

use rpc_core::{Error, ErrorKind, MethodDescriptor, ServiceDescriptor};

/// A method that its trait marks `#[rpc(idempotent)]`: what layers ask for that may run a method twice, or not at all.
///
/// In a constant, a method that is not marked does not compile.
///
/// ```
/// # use rpc_core::{MethodDescriptor, ServiceDescriptor};
/// # static GET: MethodDescriptor = MethodDescriptor::new("Store", "get").with_idempotent();
/// # static STORE: ServiceDescriptor = ServiceDescriptor::new("Store", &[&GET]);
/// # struct StoreClient;
/// # impl StoreClient { const DESCRIPTOR: &'static ServiceDescriptor = &STORE; }
/// use rpc_layers::Idempotent;
/// const READ: Idempotent = Idempotent::new(StoreClient::DESCRIPTOR, "get");
/// # assert_eq!(READ.to_string(), "Store/get");
/// ```
///
/// ```compile_fail,E0080
/// # use rpc_core::{MethodDescriptor, ServiceDescriptor};
/// # static ADD: MethodDescriptor = MethodDescriptor::new("Store", "add");
/// # static STORE: ServiceDescriptor = ServiceDescriptor::new("Store", &[&ADD]);
/// # struct StoreClient;
/// # impl StoreClient { const DESCRIPTOR: &'static ServiceDescriptor = &STORE; }
/// use rpc_layers::Idempotent;
/// const WRITE: Idempotent = Idempotent::new(StoreClient::DESCRIPTOR, "add"); // not marked
/// # let _ = WRITE;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Idempotent {
    method: &'static MethodDescriptor,
}

impl Idempotent {
    /// Takes a method by its name on the wire, in a constant.
    ///
    /// # Panics
    /// Where the service has no such method, or it is not marked: in a constant, that is a compile-time error.
    pub const fn new(service: &'static ServiceDescriptor, method: &str) -> Self {
        match find(service, method) {
            Some(found) if found.is_idempotent() => Self { method: found },
            Some(_) => panic!(
                "this method may not run twice: mark it #[rpc(idempotent)], if running it twice does no harm"
            ),
            None => panic!("the service has no method of this name"),
        }
    }

    /// Takes a method by a name that is only known at run time, such as one from a file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the service has no such method, or it is not marked.
    pub fn find(service: &'static ServiceDescriptor, method: &str) -> Result<Self, Error> {
        let text = match find(service, method) {
            Some(method) if method.is_idempotent() => return Ok(Self { method }),
            Some(method) => format!(
                "{method} may not run twice: mark it #[rpc(idempotent)], if running it twice does no harm"
            ),
            None => format!("{} has no method {method:?}", service.name()),
        };
        Err(Error::new(ErrorKind::Config, text))
    }

    /// Returns the method.
    pub const fn method(self) -> &'static MethodDescriptor {
        self.method
    }
}

/// Shows `Service/method`.
impl fmt::Display for Idempotent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.method.fmt(f)
    }
}

const fn find(service: &'static ServiceDescriptor, name: &str) -> Option<&'static MethodDescriptor> {
    let methods = service.methods();
    let mut index = 0;
    while index < methods.len() {
        if is_same(methods[index].name().as_bytes(), name.as_bytes()) {
            return Some(methods[index]);
        }
        index += 1;
    }
    None
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}
