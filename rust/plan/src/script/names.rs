//! What a script names: columns of the row, secrets, functions.

use rhai::{AST, ASTNode, Expr, Position, Stmt};

/// A name and its place in the script; line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Everything that a script names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Columns: `row.name` and `row["name"]`, each once.
    pub(super) columns: Vec<Named>,
    /// Secrets: `secret("name")`.
    pub(super) secrets: Vec<Named>,
    /// Functions and methods that are called.
    pub(super) calls: Vec<Named>,
    /// Whether the body of the answer is read as JSON.
    pub(super) reads_json: bool,
}

/// The variable that holds the row in every function of a script.
const ROW: &str = "row";

/// Collects the names of a script.
pub(super) fn of(script: &AST) -> Names {
    let mut names = Names::default();
    script.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(expression)) => names.look_at(expression),
            Some(ASTNode::Stmt(Stmt::FnCall(call, at))) => names.call(&call.name, &call.args, *at),
            _ => {}
        }
        true
    });
    names
}

impl Names {
    fn look_at(&mut self, expression: &Expr) {
        match expression {
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) if is_row(&pair.lhs) => match next(&pair.rhs) {
                Expr::Property(property, at) => self.column(&property.2, *at),
                Expr::StringConstant(name, at) => self.column(name, *at),
                _ => {}
            },
            Expr::Property(property, _) if property.2.as_str() == "json" => self.reads_json = true,
            Expr::FnCall(call, at) | Expr::MethodCall(call, at) => self.call(&call.name, &call.args, *at),
            _ => {}
        }
    }

    fn column(&mut self, name: &str, at: Position) {
        if !self.columns.iter().any(|known| known.name == name) {
            self.columns.push(named(name, at));
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expr], at: Position) {
        if let ("secret", [Expr::StringConstant(secret, at)]) = (name, arguments) {
            self.secrets.push(named(secret, *at));
        }
        self.calls.push(named(name, at));
    }
}

/// The first step of what follows a variable: of `.a.b[c]` it is `a`.
fn next(path: &Expr) -> &Expr {
    match path {
        Expr::Dot(rest, ..) | Expr::Index(rest, ..) => &rest.lhs,
        only => only,
    }
}

fn is_row(expression: &Expr) -> bool {
    matches!(expression, Expr::Variable(variable, ..) if variable.1.as_str() == ROW)
}

/// Line and column; the beginning of the script for what has no place.
#[allow(clippy::cast_possible_truncation, reason = "rhai counts lines and columns in 16 bits")]
pub(super) fn place(at: Position) -> (u32, u32) {
    (at.line().unwrap_or(1) as u32, at.position().unwrap_or(1) as u32)
}

fn named(name: &str, at: Position) -> Named {
    let (line, column) = place(at);
    Named { name: name.to_owned(), line, column }
}
