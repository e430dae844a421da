//! The parts of generated code that are the same for every service, as macros: they need the types' names and nothing else.

/// Implements for a server all that does not depend on the methods.
#[doc(hidden)]
#[macro_export]
macro_rules! __server {
    (
        $vis:vis [$($params:tt)*] $name:ident [$($args:tt)*] $handler:ident: $contract:path;
        $descriptor:ident $request:ty => $response:ty
        where [$($bounds:tt)*] [$($travels:tt)*] $($phantom:ident)?
    ) => {
        impl<$($params)* $handler: $contract> $name<$($args)* $handler>
        where $($bounds)*
        {
            /// Describes the service.
            $vis const DESCRIPTOR: &'static $crate::ServiceDescriptor = &$descriptor;

            /// Makes a server of a handler.
            $vis fn new(service: $handler) -> Self {
                Self::from_arc(::std::sync::Arc::new(service))
            }

            /// Makes a server of a handler that others hold, too.
            $vis fn from_arc(service: ::std::sync::Arc<$handler>) -> Self {
                Self(service, $(::core::marker::$phantom)?)
            }

            /// Runs a request on the handler here, without encoding anything: to replay what was recorded, say.
            ///
            /// No streams go along: an argument `Streaming` fails at its first item, and a stream that is returned is dropped.
            $vis async fn run(&self, request: $request) -> $response
            where $($travels)*
            {
                $crate::Handler::handle(self, request, &mut $crate::__private::Streams::none()).await
            }
        }

        #[automatically_derived]
        impl<$($params)* $handler: $contract> $crate::Service for $name<$($args)* $handler>
        where $($bounds)* $($travels)*
        {
            async fn call(
                &self,
                request: $crate::Request,
            ) -> ::core::result::Result<$crate::Response, $crate::Error> {
                $crate::__private::serve(self, request).await
            }
        }

        $crate::__shared! { [$($params)* $handler] $name [$($args)* $handler] where [$($bounds)*] }
    };
}

/// Implements for a client all that does not depend on the methods.
#[doc(hidden)]
#[macro_export]
macro_rules! __client {
    (
        $vis:vis [$($params:tt)*] $name:ident [$($args:tt)*] $service:ident;
        $descriptor:ident $channel:path
        where [$($bounds:tt)*] $($phantom:ident)?
    ) => {
        impl<$($params)*> $name<$($args)* $channel>
        where $($bounds)*
        {
            /// Describes the service.
            $vis const DESCRIPTOR: &'static $crate::ServiceDescriptor = &$descriptor;

            /// Connects to the server at a URI.
            ///
            /// # Errors
            /// That the URI is wrong, or that no server could be reached.
            $vis async fn connect(
                uri: impl ::core::convert::AsRef<::core::primitive::str>,
            ) -> ::core::result::Result<Self, $crate::Error> {
                <$channel>::connect(uri).await.map(Self::new)
            }
        }

        impl<$($params)* $service: $crate::Service> $name<$($args)* $service>
        where $($bounds)*
        {
            /// Makes a client of a channel, of a server in the same process, or of layers over one of them.
            $vis fn new(service: $service) -> Self {
                Self($crate::Client::new(service), $(::core::marker::$phantom)?)
            }

            /// Like [`new`](Self::new), for calls in another codec than the usual one.
            $vis fn with_codec(service: $service, codec: $crate::CodecKind) -> Self {
                Self($crate::Client::new(service).with_codec(codec), $(::core::marker::$phantom)?)
            }
        }

        $crate::__shared! { [$($params)* $service] $name [$($args)* $service] where [$($bounds)*] }
    };
}

/// Implements `Clone` and `Debug` for a client or a server, whatever it is generic over.
#[doc(hidden)]
#[macro_export]
macro_rules! __shared {
    ([$($params:tt)*] $name:ident [$($args:tt)*] where [$($bounds:tt)*]) => {
        #[automatically_derived]
        impl<$($params)*> ::core::clone::Clone for $name<$($args)*>
        where $($bounds)*
        {
            fn clone(&self) -> Self {
                Self { 0: ::core::clone::Clone::clone(&self.0), ..*self }
            }
        }

        #[automatically_derived]
        impl<$($params)*> ::core::fmt::Debug for $name<$($args)*>
        where $($bounds)*
        {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// Implements for a message enum serde's traits, and `Clone` and `Debug` where `$types` have them.
#[doc(hidden)]
#[macro_export]
macro_rules! __message {
    (
        [$de:lifetime, $($generics:tt)*] $name:ident $(<$($args:tt),*>)?
        where [$($bounds:tt)*] [$($travels:tt)*] [$($types:ty),*]
        $($(#[$cfg:meta])* $variant:ident { $($member:tt: $field:ident),* })*
        $(; $never:ident)?
    ) => {
        #[automatically_derived]
        impl<$de, $($generics)*> $crate::__private::serde::Serialize for $name $(<$($args),*>)?
        where $($bounds)* $($travels)*
        {
            fn serialize<__S: $crate::__private::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                $crate::__private::serialize_message(self, serializer)
            }
        }

        #[automatically_derived]
        impl<$de, $($generics)*> $crate::__private::serde::Deserialize<$de> for $name $(<$($args),*>)?
        where $($bounds)* $($travels)*
        {
            fn deserialize<__D: $crate::__private::serde::Deserializer<$de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                $crate::__private::deserialize_message(deserializer)
            }
        }

        #[automatically_derived]
        impl<$de, $($generics)*> ::core::clone::Clone for $name $(<$($args),*>)?
        where $($bounds)* $(for<'w> $types: $crate::__private::CloneIf<'w>),*
        {
            fn clone(&self) -> Self {
                match *self {
                    $($(#[$cfg])* Self::$variant { $($member: ref $field),* } => {
                        Self::$variant { $($member: ::core::clone::Clone::clone($field)),* }
                    })*
                    $(Self::$never(ref never, _) => match *never {},)?
                }
            }
        }

        #[automatically_derived]
        impl<$de, $($generics)*> ::core::fmt::Debug for $name $(<$($args),*>)?
        where $($bounds)* $(for<'w> $types: $crate::__private::DebugIf<'w>),*
        {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match *self {
                    $($(#[$cfg])* Self::$variant { $($member: ref $field),* } => {
                        $crate::__private::debug(f, ::core::stringify!($variant), &[
                            $((::core::stringify!($member), $field as &dyn ::core::fmt::Debug)),*
                        ])
                    })*
                    $(Self::$never(ref never, _) => match *never {},)?
                }
            }
        }
    };
}
