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
mod generated;
mod keys;
mod method;
mod middleware;
mod nearest;
mod overrides;
mod problem;
mod reader;
mod tables;
mod text;
mod transport;
mod tree;

pub use auth::{ApiKey, Auth, AwsSigv4, Basic, Bearer, ClientAuth, KeyPlace, Oauth2Client, Oauth2Password};
pub use document::{Document, names_a_credential};
pub use endpoint::Endpoint;
pub use execution::{
    Delivered, Execution, FailWhen, HostPattern, PathPattern, RateLimit, RepeatedIds, SendingWindow,
};
pub use generated::{about_middleware, json_schema, reference};
pub use keys::Literal;
pub use method::Method;
pub use middleware::{
    Arrays, BearerToken, CompressBody, Compression, Custom, FieldType, HeaderAuth, Headers, IdempotencyKey,
    JsonResponse, KeyFormat, Level, Logging, Middleware, ParamInjector, ResponseField, Retry, RetryBudget,
    Script, ScriptField, TemplateBody, TextBody,
};
pub use nearest::nearest;
pub use overrides::Override;
pub use problem::{Code, Located, Position, Problem, Problems};
pub use tables::{
    ColumnMapping, Merge, Place, Sink, SinkMode, Source, SourceRows, TableName, Tables, Target,
};
pub use text::{Reference, ReferenceKind, SecretText, Segment, Text};
pub use transport::{
    EngineName, Http2, HttpVersion, OldestTls, Proxy, Redirects, TcpConnection, Tls, Transport,
    WarmupFailure, WarmupKind,
};

use keys::{HasTexts, Keys, document, keys, section, sections};
use reader::Context;

/// Longest config text in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

keys! {
    /// What a person writes to send the rows of a DataFrame to an HTTP API.
    pub struct Config {
        /// Partitions, rates, windows and budgets.
        execution: Execution = section(),
        /// How connections are made and kept.
        transport: Transport = section(),
        /// How requests are authenticated.
        auth: Located<Auth> = section(),
        /// The request that every row becomes.
        endpoint: Endpoint =
            section().required_as("an `endpoint:` section with `method`, `base_path` and `url_path`"),
        /// The middleware chain in the order of execution, the outermost first.
        middleware: Vec<Located<Middleware>> = sections("[{type: retry}]").or(Vec::new()),
        /// Where rows come from, where responses go, and which columns enter the request.
        tables: Tables = section().required_as("a `tables:` section with `source` and `sink`"),
        /// The text's name and lines (credentials masked), for problems found later.
        document: Document = document(),
    }
    check |section| middleware::check_chain(
        section,
        middleware.as_deref().unwrap_or_default(),
        auth.as_ref().map(|auth| &auth.value),
    );
}

impl Config {
    /// Every reference of the config in the order of the text, one entry for each place.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut found: Vec<Reference> = self.texts().into_iter().flat_map(|text| text.references()).collect();
        found.sort_by_key(|reference| (reference.line, reference.column));
        found
    }

    /// Whether a reference names a file that is a part of the config, such as a template or a schema: it is read wherever the config is
    /// judged.
    #[must_use]
    pub fn is_part(&self, reference: &Reference) -> bool {
        let parts = self.middleware.iter().filter_map(|link| match &link.value {
            Middleware::TemplateBody(body) => body.template_file.as_ref(),
            Middleware::JsonResponse(json) => json.schema_file.as_ref(),
            _ => None,
        });
        parts.flat_map(Text::references).any(|part| part.kind == reference.kind && part.key == reference.key)
    }

    fn texts(&self) -> Vec<&Text> {
        let mut texts = Vec::new();
        self.add_texts(&mut texts);
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
    parse_with(text, name, &[])
}

/// Reads a config, some of whose keys are set from outside of the text.
///
/// # Errors
///
/// As [`parse`]; a problem with an override shows it as its line.
pub fn parse_with(text: &[u8], name: &str, overrides: &[Override]) -> Result<Config, Problems> {
    let (mut document, mut tree) = tree::read(text, name)?;
    overrides::apply(&mut document, &mut tree, overrides).map_err(Problems::new)?;
    let context = Context::new(&document);
    let config = context.root(&tree).and_then(|mut root| Config::read(&mut root));
    let problems = context.into_problems();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(Problems::new(problems)),
    }
}
