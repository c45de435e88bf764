//! Scripts of the chain, in rhai: the language with its limits, and what the driver can say of a script before it runs.
//!
//! A script defines `fn request(request, row)`, `fn response(response, row)` or both. Executors give it the functions and
//! methods of [`api`]; this crate knows their names only, to refuse a script that calls something else.

mod api;
mod compile;
mod names;

pub use api::{FUNCTIONS, REQUEST, RESPONSE};
pub(crate) use compile::compile;

use rhai::packages::{Package, StandardPackage};
use rhai::{AST, Engine};

/// The function that runs before the request is sent.
pub const ON_REQUEST: &str = "request";
/// The function that runs when an answer is there.
pub const ON_RESPONSE: &str = "response";

/// Longest text, in bytes, that a script can make.
const MOST_TEXT: usize = 4 << 20;
/// Most items of an array or a map.
const MOST_ITEMS: usize = 100_000;
/// Deepest nesting of calls.
const MOST_CALLS: usize = 32;
/// Deepest nesting of expressions.
const MOST_DEPTH: usize = 64;

/// The language: rhai without modules, `eval`, time and printing; every call is limited in work, depth and memory.
pub fn engine(max_operations: u64) -> Engine {
    let mut engine = Engine::new_raw();
    StandardPackage::new().register_into_engine(&mut engine);
    engine.set_max_operations(max_operations);
    engine.set_max_string_size(MOST_TEXT);
    engine.set_max_array_size(MOST_ITEMS);
    engine.set_max_map_size(MOST_ITEMS);
    engine.set_max_call_levels(MOST_CALLS);
    engine.set_max_expr_depths(MOST_DEPTH, MOST_DEPTH);
    engine.set_strict_variables(true);
    engine.disable_symbol("eval");
    engine
}

/// Compiles a script that the driver has accepted.
///
/// # Errors
///
/// It is no script, in words.
pub fn accepted(engine: &Engine, text: &str) -> Result<AST, String> {
    engine.compile(text).map_err(|error| error.to_string())
}
