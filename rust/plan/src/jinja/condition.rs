//! Expressions that are true or false.

use minijinja::{Environment, Error, UndefinedBehavior, Value};

use super::{Escape, Fault, Name, environment, names};

/// Work that one look at a condition may cost, in steps.
const STEPS: u64 = 1_000_000;

/// The template that a condition is compiled as, for its environment to own it.
const NAME: &str = "condition";
const BEFORE: &str = "{% if ";
const AFTER: &str = " %}y{% endif %}";

/// An expression that is true or false. What is not there is false.
#[derive(Debug)]
pub struct Condition {
    environment: Environment<'static>,
}

impl Condition {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// It is no expression.
    pub fn new(expression: &str) -> Result<Self, Error> {
        let mut environment = environment(Escape::None, STEPS, false);
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.compile_expression_owned(expression.to_owned())?;
        environment.add_template_owned(NAME, format!("{BEFORE}{expression}{AFTER}"))?;
        Ok(Self { environment })
    }

    /// Whether it is true of these values.
    ///
    /// # Errors
    ///
    /// It asks for what cannot be, or takes too many steps.
    pub fn holds(&self, context: Value) -> Result<bool, Error> {
        Ok(self.environment.get_template(NAME)?.render(context)? == "y")
    }
}

/// What is wrong with an expression that may use these names.
pub(crate) fn faults(expression: &str, known: &[&str]) -> Vec<Fault> {
    let alone = environment(Escape::None, STEPS, true);
    if let Err(error) = alone.compile_expression(expression) {
        return vec![super::names::fault_of(&error, expression)];
    }
    let moved = |line: u32, column: u32| if line == 1 { column - BEFORE.len() as u32 } else { column };
    match names(&format!("{BEFORE}{expression}{AFTER}")) {
        Err(faults) => faults
            .into_iter()
            .map(|fault| Fault { column: moved(fault.line, fault.column), ..fault })
            .collect(),
        Ok(names) => names
            .into_iter()
            .filter(|name| !known.contains(&name.name.as_str()))
            .map(|Name { name, line, column }| {
                let what = format!("there is no `{name}` here; there are {}", known.join(" and "));
                Fault { line, column: moved(line, column), what }
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use minijinja::Value;

    use super::{Condition, Fault, faults};

    fn holds(expression: &str) -> bool {
        let body = Value::from_pairs([("status", Value::from("ok")), ("items", Value::from(vec![1, 2]))]);
        let context = Value::from_pairs([("body", body), ("status", Value::from(200))]);
        Condition::new(expression).unwrap().holds(context).unwrap()
    }

    #[test]
    fn what_is_not_there_is_false() {
        assert!(holds("body.status == 'ok' and status == 200 and body.items | length == 2"));
        assert!(holds("body.error is not defined and not body.error.code"));
        assert!(!holds("body.status == 'OK'"));
        assert!(!holds("body.deep.deeper.deepest"));
        assert!(!holds("body.deep.deeper == 'ok'"));
    }

    #[test]
    fn faults_have_their_place_in_the_expression() {
        let fault = |expression: &str| {
            let Fault { line, column, what } = faults(expression, &["body", "status"]).remove(0);
            (line, column, what)
        };
        assert_eq!(
            fault("body.ok and bdy.x"),
            (1, 13, "there is no `bdy` here; there are body and status".into())
        );
        assert_eq!(fault("body | lenght"), (1, 8, "there is no filter `lenght`".into()));
        assert_eq!((fault("body ==").0, fault("body.a b").1), (1, 8));
        assert!(!faults("body %}x{% endif %}{% if body", &["body"]).is_empty());
        assert_eq!(faults("body.a == '%}' or status < 3", &["body", "status"]), []);
    }
}
