//! `param_injector`: mapped columns as query parameters.

use crate::keys::{Choice, choice, keys};

keys! {
    /// Mapped columns as query parameters. A null leaves its parameter out.
    pub struct ParamInjector {
        /// How a column of an array type is written.
        arrays: Arrays = choice(ARRAYS).or(Arrays::Json),
    }
}

const ARRAYS: &[Choice<Arrays>] = &[
    (
        "repeat",
        Arrays::Repeat,
        "a parameter for each item: `tag=a&tag=b`; a null item and an empty array have none",
    ),
    (
        "comma",
        Arrays::Comma,
        "one parameter, its items separated by commas: `tag=a,b`; a comma in an item is encoded",
    ),
    ("brackets", Arrays::Brackets, "a parameter for each item, with brackets: `tag[]=a&tag[]=b`"),
    ("json", Arrays::Json, "one parameter that holds the array's JSON form"),
];

/// How an array is written in the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrays {
    /// `tag=a&tag=b`.
    Repeat,
    /// `tag=a,b`.
    Comma,
    /// `tag[]=a&tag[]=b`.
    Brackets,
    /// `tag=["a","b"]`.
    Json,
}
