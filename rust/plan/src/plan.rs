//! The plan: a config after validation and compilation.
//!
//! A plan is immutable and serialisable (JSON, through serde) and has no look-up left to do: templates are
//! parsed, the chain's order is fixed, secrets are slots ([`SecretSlot`]) whose values travel apart from it.

use serde::{Deserialize, Serialize};

use crate::fail_when::FailWhen;
use crate::jinja::Escape;
use crate::limits::LimitPlan;
use crate::transport::TransportPlan;

/// Version of the plan's serialised form. An executor refuses a plan of another version.
pub const PLAN_FORMAT: u32 = 1;

/// Everything an executor must know to send a row and to record what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_FORMAT`] of the compiler that made this plan.
    pub format: u32,
    /// What the request of a row is made of.
    pub request: RequestPlan,
    /// The middleware chain in the order of execution, the outermost first; auth already has its place.
    pub chain: Vec<LinkPlan>,
    /// How connections are made and kept.
    pub transport: TransportPlan,
    /// Rates, windows and budgets.
    pub execution: ExecutionPlan,
    /// What is expected of the source.
    pub source: SourcePlan,
    /// What the sink's rows keep.
    pub sink: SinkPlan,
}

/// The request template: what every row's request has in common, and where columns enter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestPlan {
    /// HTTP method, upper case.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Host and port as they stand in the URL (RFC 3986 authority without userinfo).
    pub authority: String,
    /// Path, beginning with `/`; column values in it are percent-encoded so that they stay one segment.
    pub path: Vec<Piece>,
    /// Query parameters, fixed ones and those with columns, in order. Fed before any `param_injector`.
    pub query: Vec<NamedPieces>,
    /// Headers, names in lower case.
    pub headers: Vec<NamedPieces>,
    /// Header that carries the request_id; none when switched off.
    pub idempotency_header: Option<String>,
    /// Longest URL in bytes; a row whose URL is longer becomes an `invalid_row` row.
    pub max_url_bytes: usize,
}

/// A name and the pieces whose concatenation is its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedPieces {
    /// Header name in lower case, or query parameter name as written (not encoded).
    pub name: String,
    /// The value's pieces.
    pub value: Vec<Piece>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Text as it is (in a path: already percent-encoded).
    Literal(String),
    /// The text form of a source column.
    Column(ColumnRef),
    /// A secret.
    Secret(SecretSlot),
}

/// A source column, or a field within a struct column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnRef {
    /// Column name, then field names of nested structs. Never empty.
    pub path: Vec<String>,
    /// True when a null is an error of the row (`invalid_row`). In a path null is always an error.
    pub required: bool,
    /// What stands for a null. A column with a default has no null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultValue>,
}

/// A value written in the config, in the two forms that a column's value can take.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DefaultValue {
    /// Its text form: in paths, query parameters and headers.
    pub text: String,
    /// Its JSON form: in JSON bodies.
    pub json: String,
}

/// Index into the run's secret values ([`crate::SecretValues`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretSlot(pub u32);

/// One link of the chain: a middleware's registered name and its compiled specification.
///
/// The specification of a built-in middleware is one of the `*Spec` types of this module, as JSON. The name is
/// resolved on the executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkPlan {
    /// Name in the middleware registry: `retry`, `json_body`, `auth`, …
    pub middleware: String,
    /// The middleware's own specification.
    pub spec: serde_json::Value,
}

/// `retry`: which outcomes are tried again, how often and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrySpec {
    /// Attempts in all, the first included; at least 1.
    pub max_attempts: u32,
    /// Statuses that are tried again.
    pub retry_status_codes: Vec<u16>,
    /// Whether transport errors and timeouts are tried again.
    pub retry_transport_errors: bool,
    /// Whether an answer that `json_response` rejects is tried again.
    pub retry_rejected: bool,
    /// Upper bound of the first pause; doubles with each attempt. The pause is drawn from 0 to the bound (full jitter).
    pub base_delay_ms: u64,
    /// Upper bound of every computed pause.
    pub max_delay_ms: u64,
    /// Whether Retry-After, or the reset of a quota that is used up, replaces the computed pause.
    pub respect_retry_after: bool,
    /// What a header asks for beyond this is cut to it.
    pub max_retry_after_ms: u64,
    /// Whether a request with a non-idempotent method and without an idempotency header may be sent again
    /// although bytes of it may have left.
    pub retry_non_idempotent: bool,
    /// Longest time from the first attempt to the beginning of the last.
    pub total_deadline_ms: Option<u64>,
    /// Retries that a process may send; none without a limit.
    pub budget: Option<RetryBudgetSpec>,
}

/// Retries that a process may send, counted over the last ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryBudgetSpec {
    /// Retries for each first attempt.
    pub share: f64,
    /// Retries per second that are allowed whatever the traffic.
    pub min_per_second: f64,
}

/// `json_body`: the request's JSON body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JsonBodySpec {
    /// The body's shape.
    pub body: BodyNode,
}

/// `form_body`: columns as fields of a form body. A null value leaves its field out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormBodySpec {
    /// Field name and column, in order. Never empty.
    pub fields: Vec<(String, ColumnRef)>,
}

/// `text_body`: text as the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextBodySpec {
    /// The body's pieces; none of them is a secret. A null column is empty.
    pub body: Vec<Piece>,
    /// Its Content-Type, unless the request has one.
    pub content_type: String,
}

/// `template_body`: a template in the language of Jinja as the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateBodySpec {
    /// The template.
    pub template: TemplateSource,
    /// The names that it takes from the row, and the column that each stands for.
    pub columns: Vec<(String, ColumnRef)>,
    /// What `{{ value }}` writes.
    pub escape: Escape,
    /// Whether a body that is no JSON makes its row an `invalid_row`.
    pub validate_json: bool,
    /// Longest work for one row, in steps; more makes the row an `invalid_row`.
    pub max_steps: u64,
    /// The body's Content-Type, unless the request has one.
    pub content_type: String,
}

/// A template or script that compiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateSource {
    /// The file that it was read from; none when the config holds it.
    pub file: Option<String>,
    /// Its text.
    pub text: String,
}

/// A node of a JSON body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyNode {
    /// The whole source row as one object.
    Row,
    /// An object of named nodes, in order.
    Object(Vec<(String, BodyNode)>),
    /// A source column in its JSON form.
    Column(ColumnRef),
}

/// `param_injector`: columns as query parameters. A null value leaves its parameter out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParamInjectorSpec {
    /// Parameter name and column, in order.
    pub params: Vec<(String, ColumnRef)>,
    /// How a column of an array type is written.
    pub arrays: ArrayForm,
}

/// How an array is written in the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrayForm {
    /// `tag=a&tag=b`; no parameter for an empty array.
    Repeat,
    /// `tag=a,b`; no parameter for an empty array.
    Comma,
    /// `tag[]=a&tag[]=b`; no parameter for an empty array.
    Brackets,
    /// `tag=["a","b"]`: the array's text form.
    Json,
}

/// `headers`: headers whose values may hold columns. A null alone leaves its header out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadersSpec {
    /// Headers, names in lower case.
    pub headers: Vec<NamedPieces>,
}

/// `bearer_token`: a token of the config in a header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BearerTokenSpec {
    /// The header, in lower case.
    pub header: String,
    /// The token.
    pub token: SecretSlot,
}

/// `header_auth`: a credential of the config in a header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeaderAuthSpec {
    /// The header, in lower case.
    pub header: String,
    /// What it holds.
    pub credential: HeaderCredential,
}

/// What the header of a `header_auth` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderCredential {
    /// A value.
    Value {
        /// What stands before it.
        prefix: String,
        /// The value.
        value: SecretSlot,
    },
    /// RFC 7617.
    User {
        /// User id; may not hold a colon.
        username: SecretSlot,
        /// Password.
        password: SecretSlot,
    },
}

/// `compress_body`: the body, compressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompressBodySpec {
    /// How.
    pub encoding: CodingName,
    /// The shortest body that is compressed.
    pub min_bytes: usize,
}

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodingName {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// `json_response`: what is made of an answer's JSON body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JsonResponseSpec {
    /// Whether the body also stands in the sink's column `json`.
    pub json_column: bool,
    /// JSON Schema that a successful answer's body must meet.
    pub schema: Option<serde_json::Value>,
    /// Parts of the body that become columns, in the order of [`SinkPlan::response_fields`].
    pub fields: Vec<ResponseFieldSpec>,
    /// Expression that says whether an answer with a 2xx status is a success.
    pub success_when: Option<String>,
    /// JSON Pointer to what went wrong.
    pub error_message: Option<String>,
}

/// A part of the body as a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseFieldSpec {
    /// The column's name.
    pub name: String,
    /// JSON Pointer.
    pub pointer: String,
    /// Its type.
    pub kind: FieldKind,
    /// Whether a successful answer without it is an `invalid_response`.
    pub required: bool,
}

/// `script`: code of the config's own around every request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScriptSpec {
    /// The script; it compiles.
    pub script: TemplateSource,
    /// What it takes of the row: the names under which it does, and the columns.
    pub columns: Vec<(String, ColumnRef)>,
    /// What `secret(name)` gives.
    pub secrets: Vec<(String, SecretSlot)>,
    /// Columns that it fills.
    pub fields: Vec<(String, FieldKind)>,
    /// The place of the first of them in [`SinkPlan::response_fields`].
    pub first_field: usize,
    /// Longest work of one call, in operations of the script.
    pub max_operations: u64,
    /// Whether it has a function for requests.
    pub request: bool,
    /// Whether it has a function for answers.
    pub response: bool,
    /// Whether that one reads the body as JSON.
    pub reads_json: bool,
}

/// A middleware of one's own: what its place in the chain gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomSpec {
    /// What only it understands.
    pub options: serde_json::Value,
    /// Columns that it may read, by name.
    pub columns: Vec<(String, ColumnRef)>,
    /// Secrets that it may ask for, by name.
    pub secrets: Vec<(String, SecretSlot)>,
}

/// The type of a column that is picked from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Text as it is, anything else in its JSON form.
    String,
    /// A whole number of 64 bits.
    Long,
    /// A number.
    Double,
    /// True or false.
    Boolean,
}

impl FieldKind {
    /// Spark's name of the type.
    pub const fn spark(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Long => "bigint",
            Self::Double => "double",
            Self::Boolean => "boolean",
        }
    }
}

/// `idempotency_key`: the request_id in a header and a form of the API's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdempotencyKeySpec {
    /// The header, in lower case.
    pub header: String,
    /// What stands before the request_id.
    pub before: String,
    /// What stands after it.
    pub after: String,
}

/// `logging`: one structured line per exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggingSpec {
    /// Level of the line of a successful exchange; that of a failed one is at least `warn`.
    pub level: LogLevel,
    /// Whether the line is also kept in the sink's `log` column.
    pub to_sink: bool,
    /// Share of the successful exchanges that have a line.
    pub sample: f64,
    /// Longest part of each body in a line; none without bodies.
    pub body_bytes: Option<usize>,
}

/// Levels of log lines, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Something failed that ends the task.
    Error,
    /// An exchange failed.
    Warn,
    /// Ordinary news.
    Info,
    /// For finding faults.
    Debug,
    /// Everything.
    Trace,
}

/// Rates, windows and budgets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionPlan {
    /// Spark tasks of a run.
    pub partitions: u32,
    /// Attempts per second that none of `limits` is for, charged at the socket; none means unlimited.
    pub max_requests_per_second: Option<f64>,
    /// Attempts that may go at once after a pause; at least 1.
    pub burst: u32,
    /// Limits of some hosts and paths: the first that an attempt's URL matches is its limit.
    pub limits: Vec<LimitPlan>,
    /// Longest pause that a server may impose on the whole cluster; none when what it announces is not followed.
    pub max_announced_pause_ms: Option<u64>,
    /// Rows in the admission window of an executor process: waiting for a connection, in flight or waiting for a retry.
    pub max_in_flight: usize,
    /// The byte budget of an executor process: requests, answers, rows that wait for a retry.
    pub memory_budget_bytes: usize,
    /// What stops the run early.
    pub fail_when: FailWhen,
}

/// How the rows of a run are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// By the tracking_id that a column holds. Further rows of the same one are not sent.
    Column(String),
    /// By the tracking_id that a column holds and by their content; rows that share both are counted.
    ColumnAndContent(String),
    /// By their content, of which the tracking_id is made; equal rows are counted.
    Content,
}

impl Identity {
    /// The column that holds the tracking_id, if there is one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Identity::Column(name) | Identity::ColumnAndContent(name) => Some(name),
            Identity::Content => None,
        }
    }
}

/// What is expected of the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourcePlan {
    /// How its rows are told apart.
    pub identity: Identity,
    /// Columns that must exist.
    pub required_columns: Vec<String>,
    /// Columns that requests use, each once, the id column first if there is one; none means all columns.
    pub columns: Option<Vec<String>>,
}

/// What the sink's rows keep beyond the cheap default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SinkPlan {
    /// Response headers to keep, lower case.
    pub response_headers: Vec<String>,
    /// Whether request headers are kept (credentials masked).
    pub request_headers: bool,
    /// Whether request bodies are kept.
    pub request_body: bool,
    /// Source columns to keep, in the order in which they stand after the response's own.
    pub source_columns: Vec<String>,
    /// Columns that `json_response` fills, in the order in which they stand after those.
    pub response_fields: Vec<(String, FieldKind)>,
    /// Secrets that are looked for in what comes back, and masked there.
    pub masked: Vec<SecretSlot>,
}
