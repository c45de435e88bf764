//! What scripts see and may do: the functions, `request`, `response` and the row. The language itself and its limits are
//! [`apisink_plan::script`]'s.

mod functions;
mod request;
mod response;
mod values;

pub(crate) use request::RequestView;
pub(crate) use response::ResponseView;
pub(crate) use values::of_template;

use rhai::{Engine, EvalAltResult, Position};

/// An engine whose scripts are called with views of requests and answers, and know these secrets.
pub(crate) fn engine(max_operations: u64, secrets: Vec<(String, String)>) -> Engine {
    let mut engine = apisink_plan::script::engine(max_operations);
    functions::register(&mut engine, secrets);
    request::register(&mut engine);
    response::register(&mut engine);
    engine
}

/// Why a call failed, in words, and where.
pub(crate) fn failure(error: &EvalAltResult) -> String {
    let place = match error.position() {
        Position::NONE => String::new(),
        at => format!(", line {}, column {}", at.line().unwrap_or(0), at.position().unwrap_or(0)),
    };
    let what = match error.unwrap_inner() {
        EvalAltResult::ErrorTooManyOperations(_) => {
            "it takes more operations than max_operations allows".to_owned()
        }
        // What the script itself throws, and what a function says.
        EvalAltResult::ErrorRuntime(thrown, _) => thrown.to_string(),
        other => {
            let mut other = format!("{other}");
            if let Some(end) = other.find(" (line ") {
                other.truncate(end);
            }
            other
        }
    };
    format!("the script{place}: {what}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use apisink_plan::script::{FUNCTIONS, REQUEST, RESPONSE};
    use rhai::{Engine, Scope};

    use super::*;

    #[test]
    fn the_driver_knows_the_names_of_everything_that_is_there() {
        let of = |engine: &Engine| -> BTreeSet<String> {
            let signatures = engine.gen_fn_signatures(false);
            let names = signatures.iter().filter_map(|signature| signature.split('(').next());
            names.map(|name| name.trim().to_owned()).collect()
        };
        let registered = of(&engine(1, Vec::new()));
        let known: BTreeSet<String> =
            FUNCTIONS.iter().chain(&REQUEST).chain(&RESPONSE).map(|name| (*name).to_owned()).collect();
        assert_eq!(registered, known);
    }

    #[test]
    fn endless_work_depth_and_memory_are_stopped() {
        let engine = engine(10_000, Vec::new());
        for (script, expected) in [
            ("loop {}", "more operations than max_operations"),
            ("fn f() { f() } f()", "tack"),
            ("let s = \"x\"; loop { s += s; }", "ength of string"),
            ("let a = [1]; loop { a += a; }", "ize of array"),
        ] {
            let error = engine.run_with_scope(&mut Scope::new(), script).unwrap_err();
            assert!(failure(&error).contains(expected), "{script}: {}", failure(&error));
        }
        assert!(engine.compile("eval(\"1\")").is_err());
        assert!(engine.compile("import \"x\"").is_err());
    }

    #[test]
    fn a_failure_says_where_and_what() {
        let engine = engine(10_000, Vec::new());
        let said = |script: &str| failure(&engine.run(script).unwrap_err());
        assert_eq!(said("\n  throw \"no region\""), "the script, line 2, column 3: no region");
        assert!(said("secret(\"x\")").starts_with("the script, line 1, column 1: there is no secret x"));
    }
}
