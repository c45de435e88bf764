//! What a person may write: the config model, source positions, problems.
//!
//! [`parse`] turns YAML or JSON into a [`Config`]. The text becomes a tree whose nodes know their place; every
//! section reads its own part of it and notes what is wrong, so that all problems of a file come at once. Nothing
//! is substituted here: a string that may hold `{{env.NAME}}` or `{{secret.SCOPE:KEY}}` is a [`Text`], and
//! [`Config::references`] lists what has to be looked up before the config can be compiled.
//!
//! This crate knows no HTTP: names and values of headers, hosts and paths are checked when the plan is made.

#![forbid(unsafe_code)]

mod auth;
mod document;
mod endpoint;
mod execution;
mod middleware;
mod nearest;
mod problem;
mod reader;
mod tables;
mod text;
mod transport;
mod tree;

pub use auth::Auth;
pub use document::{Document, names_a_credential};
pub use endpoint::Endpoint;
pub use execution::Execution;
pub use middleware::{Level, Logging, Middleware, Retry};
pub use nearest::nearest;
pub use problem::{Code, Located, Position, Problem, Problems};
pub use tables::{ColumnMapping, Place, Sink, SinkTarget, Source, TableName, Tables};
pub use text::{Reference, ReferenceKind, SecretText, Segment, Text};
pub use transport::{TcpConnection, Transport};

use reader::Context;

/// Longest config text in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// A config: valid by itself, not yet compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Partitions, rates, windows and budgets. May be left out.
    pub execution: Execution,
    /// How connections are made and kept. May be left out.
    pub transport: Transport,
    /// How requests are authenticated. May be left out: `none`.
    pub auth: Located<Auth>,
    /// The request that every row becomes. Required.
    pub endpoint: Endpoint,
    /// The middleware chain in the order of execution, the outermost first. Each at most once; may be empty.
    pub middleware: Vec<Located<Middleware>>,
    /// Where rows come from, where responses go, and which columns enter the request. Required.
    pub tables: Tables,
    /// The text's name and lines (credentials masked), for problems found later.
    pub document: Document,
}

impl Config {
    /// Every reference of the config in the order of the text, one entry for each place.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut found: Vec<Reference> = self.texts().into_iter().flat_map(|text| text.references()).collect();
        found.sort_by_key(|reference| (reference.line, reference.column));
        found
    }

    fn texts(&self) -> Vec<&Text> {
        let mut texts = Vec::new();
        texts.extend(&self.execution.journal_path);
        texts.extend(self.auth.value.texts());
        texts.extend(&self.endpoint.base_path);
        texts.push(&self.endpoint.url_path);
        texts.extend(self.endpoint.headers.iter().map(|(_, value)| value));
        texts.extend(self.endpoint.query.iter().map(|(_, value)| value));
        if let Some(table) = &self.tables.source.table {
            texts.extend(table.texts());
        }
        match &self.tables.sink.target {
            SinkTarget::Table(table) => texts.extend(table.texts()),
            SinkTarget::Path(path) => texts.push(path),
        }
        texts
    }
}

/// Reads a config from YAML or JSON.
///
/// `name` stands for the text in problems; usually the path it was read from.
///
/// # Errors
///
/// All problems of the text; of a text that is no YAML at all, the first.
pub fn parse(text: &[u8], name: &str) -> Result<Config, Problems> {
    let (document, tree) = tree::read(text, name)?;
    let context = Context::new(&document);
    let config = read_root(&context, &tree);
    let problems = context.into_problems();
    match config {
        Some(config) if problems.is_empty() => Ok(Config { document, ..config }),
        _ => Err(Problems::new(problems)),
    }
}

fn read_root(context: &Context<'_>, tree: &tree::Item) -> Option<Config> {
    let mut root = context.root(tree)?;
    let transport = Transport::read(&mut root.section("transport"));
    let execution = Execution::read(&mut root.section("execution"), transport.tcp_connection.limit);
    let auth = Auth::read(&mut root.section("auth"));
    let endpoint = root
        .required_section("endpoint", "an `endpoint:` section with `method`, `base_path` and `url_path`")
        .and_then(|mut section| Endpoint::read(&mut section));
    let middleware = middleware::read(&mut root);
    let tables = root
        .required_section("tables", "a `tables:` section with `source` and `sink`")
        .and_then(|mut section| Tables::read(&mut section));
    root.finish();
    Some(Config {
        execution,
        transport,
        auth: auth?,
        endpoint: endpoint?,
        middleware,
        tables: tables?,
        document: Document::default(),
    })
}
