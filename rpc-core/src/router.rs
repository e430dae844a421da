//! Several services as one: a request goes to the service whose method it names.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::service::BoxFuture;
use crate::{
    BoxService, Code, Error, ErrorKind, Handler, MethodDescriptor, MethodId, Request, Response, Service,
    ServiceDescriptor, Status,
};

/// Answers each call with the service that has its method; cloning costs a reference count.
///
/// It is a server without a socket: give it to a generated client's `new`, and calls stay within the process.
#[derive(Clone, Default)]
pub struct Router {
    routes: Arc<Routes>,
}

#[derive(Clone, Default)]
struct Routes {
    services: Vec<&'static ServiceDescriptor>,
    added: Vec<BoxService>,
    methods: HashMap<MethodId, (&'static MethodDescriptor, BoxService), BuildHasherDefault<ById>>,
}

/// Takes an id for its own hash: it is one, and only a service's author can add to the map.
#[derive(Clone, Copy, Default)]
struct ById(u64);

impl Hasher for ById {
    fn write(&mut self, _: &[u8]) {
        unreachable!("an id is hashed as one number");
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Router {
    /// Creates a router without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where one of its methods has the id of a method that is there already.
    pub fn with<H: Handler>(mut self, handler: H) -> Result<Self, Error> {
        let service = BoxService::new(handler);
        let routes = Arc::make_mut(&mut self.routes);
        routes.services.push(H::descriptor());
        routes.added.push(service.clone());
        for method in H::descriptor().methods() {
            if let Some((other, _)) = routes.methods.insert(method.id(), (method, service.clone())) {
                let text = format!(
                    "{method} and {other} have the same id {}: rename a service or give a method another #[rpc(id = …)]",
                    method.id()
                );
                return Err(Error::new(ErrorKind::Config, text));
            }
        }
        Ok(self)
    }

    /// Returns the services in the order in which they were added.
    pub fn services(&self) -> &[&'static ServiceDescriptor] {
        &self.routes.services
    }

    /// Finds a method's description.
    pub fn method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.routes.methods.get(&id).map(|(method, _)| *method)
    }

    // The future of an `async fn` would hold the request, too.
    fn start(&self, mut request: Request) -> BoxFuture<'static> {
        match self.routes.methods.get(&request.method()) {
            Some((method, service)) => {
                request.set_descriptor(method);
                service.start(request)
            }
            None => Box::pin(ready(Err(self.unknown(&request)))),
        }
    }

    fn unknown(&self, request: &Request) -> Error {
        let names: Vec<_> = self.services().iter().map(|service| service.name()).collect();
        let text = format!(
            "no service here has the {}; there are: {}; compare the two sides' versions",
            request.method_name(),
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        );
        Status::new(Code::Unimplemented, text).into()
    }
}

impl Service for Router {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        self.start(request)
    }

    fn call_owned(
        self: Arc<Self>,
        request: Request,
    ) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        self.start(request)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(format!("{self:?}"));
    }

    fn leave(&self) {
        self.routes.added.iter().for_each(Service::leave);
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.services().iter().map(|service| service.name());
        f.debug_set().entries(names).finish()
    }
}
