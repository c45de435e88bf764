//! The macros that declare sections.

/// Declares a section: a struct whose fields are its keys.
///
/// ```text
/// keys! {
///     /// What the section is for.
///     pub struct Name {
///         /// What the key is for.
///         key: Type = kind.or(default),
///         /// A key whose name is no good field name.
///         place as "in": Option<Type> = kind.optional("what its absence means"),
///     }
///     // Looks at several keys at once. Every field is here as an option: none when it could not be read.
///     check |section| function(section, &key, &place);
/// }
/// ```
///
/// The struct gets `Clone`, `Debug`, `PartialEq`, [`Keys`](super::Keys) and [`HasTexts`](super::HasTexts); its fields
/// are public and carry their sentences.
macro_rules! keys {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident $(as $key:literal)?: $type:ty = $kind:expr, )*
        }
        $(check |$section:ident| $check:expr;)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl crate::keys::Keys for $name {
            fn shape() -> crate::keys::SectionShape {
                use crate::keys::{Field, KindExt as _, SectionShape, joined, typed};
                let keys = [$(
                    Field::key(&typed::<$type, _>($kind), crate::keys::key_name!($field $(as $key)?), joined(&[$($doc),+])),
                )*];
                SectionShape {
                    about: joined(&[$($about),+]),
                    keys: keys.into_iter().flatten().collect(),
                    variants: Vec::new(),
                    may_be_empty: false,
                }
            }

            fn read_keys(section: &mut crate::reader::Section<'_>) -> Option<Self> {
                use crate::keys::{Field, KindExt as _, typed};
                $(
                    let $field: Option<$type> =
                        Field::read(&typed::<$type, _>($kind), section, crate::keys::key_name!($field $(as $key)?));
                )*
                $(
                    let $section: &crate::reader::Section<'_> = section;
                    $check;
                )?
                Some(Self { $( $field: $field?, )* })
            }
        }

        impl crate::keys::HasTexts for $name {
            fn add_texts<'a>(&'a self, texts: &mut Vec<&'a crate::text::Text>) {
                $( crate::keys::HasTexts::add_texts(&self.$field, texts); )*
            }
        }
    };
}

/// The name of a key: its own, or the field's.
macro_rules! key_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident as $key:literal) => {
        $key
    };
}

/// Declares a section whose keys depend on its `type`: an enum of sections.
///
/// ```text
/// tagged! {
///     /// What the section is for.
///     pub enum Name, for example "b" {
///         /// What this type is for.
///         A = "a",
///         /// A type with keys of its own, declared with [`keys!`].
///         B(Keys) = "b",
///     }
///     empty "a";      // what an absent or empty section stands for; without it `type` is required
/// }
/// ```
macro_rules! tagged {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident, for example $example:literal {
            $( $(#[doc = $doc:literal])+ $variant:ident $(($keys:ident))? = $tag:literal, )*
        }
        $(empty $empty:literal;)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $( $(#[doc = $doc])+ $variant $(($keys))?, )*
        }

        impl $name {
            /// The type as it is written.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $( crate::keys::variant!(@name $variant $($keys)?) => $tag, )* }
            }
        }

        impl crate::keys::Keys for $name {
            fn shape() -> crate::keys::SectionShape {
                crate::keys::SectionShape {
                    about: crate::keys::joined(&[$($about),+]),
                    keys: Vec::new(),
                    variants: vec![$( crate::keys::Variant {
                        name: $tag,
                        about: crate::keys::joined(&[$($doc),+]),
                        keys: crate::keys::variant!(@keys $($keys)?),
                    }, )*],
                    may_be_empty: !<[&str]>::is_empty(&[$($empty)?]),
                }
            }

            fn read_keys(section: &mut crate::reader::Section<'_>) -> Option<Self> {
                let empty: &[&str] = &[$($empty)?];
                let kind = crate::keys::type_of(section, $example, empty.first().copied())?;
                match kind.as_str() {
                    $( $tag => crate::keys::variant!(@read section, $variant $($keys)?), )*
                    _ => {
                        // The keys of a type that is not known can't be judged.
                        section.abandon();
                        section.unknown_choice("type", &kind, [$($tag),*].into_iter());
                        None
                    }
                }
            }
        }

        impl crate::keys::HasTexts for $name {
            fn add_texts<'a>(&'a self, texts: &mut Vec<&'a crate::text::Text>) {
                match self { $( crate::keys::variant!(@texts keys, $variant $($keys)?) => crate::keys::variant!(@add keys, texts, $($keys)?), )* }
            }
        }
    };
}

/// One variant of [`tagged!`], with or without keys.
macro_rules! variant {
    (@keys) => {
        Vec::new()
    };
    (@keys $keys:ident) => {
        <$keys as crate::keys::Keys>::shape().keys
    };
    (@read $section:ident, $variant:ident) => {
        Some(Self::$variant)
    };
    (@read $section:ident, $variant:ident $keys:ident) => {
        <$keys as crate::keys::Keys>::read_keys($section).map(Self::$variant)
    };
    (@name $variant:ident) => {
        Self::$variant
    };
    (@name $variant:ident $keys:ident) => {
        Self::$variant(_)
    };
    (@texts $bound:ident, $variant:ident) => {
        Self::$variant
    };
    (@texts $bound:ident, $variant:ident $keys:ident) => {
        Self::$variant($bound)
    };
    (@add $bound:ident, $texts:ident,) => {
        ()
    };
    (@add $bound:ident, $texts:ident, $keys:ident) => {
        crate::keys::HasTexts::add_texts($bound, $texts)
    };
}

pub(crate) use {key_name, keys, tagged, variant};
