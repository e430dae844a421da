//! The parts of generated code that are the same for every service, as macros: they need the types' names and nothing else.

/// Implements `Clone` and `Debug` for a client or a server, whatever it is generic over.
#[doc(hidden)]
#[macro_export]
macro_rules! __handle {
    ([$($generics:tt)*] $name:ident<$($args:tt),*> where [$($bounds:tt)*]) => {
        #[automatically_derived]
        impl<$($generics)*> ::core::clone::Clone for $name<$($args),*> where $($bounds)* {
            #[allow(clippy::needless_update)]
            fn clone(&self) -> Self {
                Self { 0: ::core::clone::Clone::clone(&self.0), ..*self }
            }
        }

        #[automatically_derived]
        impl<$($generics)*> ::core::fmt::Debug for $name<$($args),*> where $($bounds)* {
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
