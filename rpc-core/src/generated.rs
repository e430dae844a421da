//! The parts of generated code that are the same for every service, as macros: they need the types' names and nothing else.
//!
//! They are called where `__farcall` names what generated code may use, and `__FARCALL` describes the service.

/// Implements for a client all that does not depend on the methods.
#[doc(hidden)]
#[macro_export]
macro_rules! __client {
    (
        $vis:vis [$($params:tt)*] $name:ident [$($args:tt)*] $service:ident where [$($bounds:tt)*]
    ) => {
        impl<$($params)*> $name<$($args)* __farcall::Channel>
        where $($bounds)*
        {
            /// Describes the service.
            $vis const DESCRIPTOR: &'static __farcall::ServiceDescriptor = &__FARCALL;

            /// Connects to the server at a URI.
            ///
            /// # Errors
            /// That the URI is wrong, or that no server could be reached.
            $vis async fn connect(
                uri: impl ::core::convert::AsRef<::core::primitive::str>,
            ) -> __farcall::Result<Self, __farcall::Error> {
                __farcall::Channel::connect(uri).await.map(Self::new)
            }
        }

        impl<$($params)* $service: __farcall::Service> $name<$($args)* $service>
        where $($bounds)*
        {
            /// Makes a client of a channel, of a server in the same process, or of layers over one of them.
            $vis fn new(service: $service) -> Self {
                Self(__farcall::Client::new(service))
            }

            /// Like [`new`](Self::new), for calls in another codec than the usual one.
            $vis fn with_codec(service: $service, codec: __farcall::CodecKind) -> Self {
                Self(__farcall::Client::new(service).with_codec(codec))
            }
        }

        impl<$($params)* $service> ::core::clone::Clone for $name<$($args)* $service>
        where $($bounds)*
        {
            fn clone(&self) -> Self {
                Self(__farcall::clone(&self.0))
            }
        }

        impl<$($params)* $service> ::core::fmt::Debug for $name<$($args)* $service>
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
        where [$($bounds:tt)*] [$($types:ty),*]
        $($(#[$cfg:meta])* $variant:ident $({ $($arg:ident),* })? $(($output:ident))?)*
        $(; $never:ident)?
    ) => {
        impl<$de, $($generics)*> __farcall::Serialize for $name $(<$($args),*>)?
        where $($bounds)* Self: __farcall::Message<$de>
        {
            fn serialize<__S: __farcall::Serializer>(&self, to: __S) -> __farcall::Result<__S::Ok, __S::Error> {
                __farcall::serialize_message(self, to)
            }
        }

        impl<$de, $($generics)*> __farcall::Deserialize<$de> for $name $(<$($args),*>)?
        where $($bounds)* Self: __farcall::Message<$de>
        {
            fn deserialize<__D: __farcall::Deserializer<$de>>(from: __D) -> __farcall::Result<Self, __D::Error> {
                __farcall::deserialize_message(from)
            }
        }

        impl<$de, $($generics)*> ::core::clone::Clone for $name $(<$($args),*>)?
        where $($bounds)* $(for<'w> $types: __farcall::CloneIf<'w>),*
        {
            fn clone(&self) -> Self {
                match *self {
                    $($(#[$cfg])* Self::$variant $({ $(ref $arg),* })? $((ref $output))? => {
                        Self::$variant $({ $($arg: __farcall::clone($arg)),* })? $((__farcall::clone($output)))?
                    })*
                    $(Self::$never(ref never, _) => match *never {},)?
                }
            }
        }

        impl<$de, $($generics)*> ::core::fmt::Debug for $name $(<$($args),*>)?
        where $($bounds)* $(for<'w> $types: __farcall::DebugIf<'w>),*
        {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match *self {
                    $($(#[$cfg])* Self::$variant $({ $(ref $arg),* })? $((ref $output))? => {
                        $(__farcall::debug(
                            f,
                            ::core::stringify!($variant),
                            &[$((::core::stringify!($arg), $arg)),*],
                        ))?
                        $(f.debug_tuple(::core::stringify!($variant)).field($output).finish())?
                    })*
                    $(Self::$never(ref never, _) => match *never {},)?
                }
            }
        }
    };
}
