//! `middleware`: the chain around the request. One file per middleware that has keys.

mod chain;
mod compress_body;
mod credentials;
mod custom;
mod headers;
mod idempotency_key;
mod json_response;
mod logging;
mod param_injector;
mod retry;
mod script;
mod template_body;
mod text_body;

pub(crate) use chain::check_chain;
pub use compress_body::{CompressBody, Compression};
pub use credentials::{BearerToken, HeaderAuth};
pub use custom::Custom;
pub use headers::Headers;
pub use idempotency_key::{IdempotencyKey, KeyFormat};
pub use json_response::{FieldType, JsonResponse, ResponseField, ScriptField};
pub use logging::{Level, Logging};
pub use param_injector::{Arrays, ParamInjector};
pub use retry::{Retry, RetryBudget};
pub use script::Script;
pub use template_body::TemplateBody;
pub use text_body::TextBody;

use crate::keys::tagged;

tagged! {
    /// A link of the chain around the request.
    pub enum Middleware, for example "retry" {
        /// Sends a failed request again. What stands after it runs once per attempt.
        Retry(Retry) = "retry",
        /// The mapped columns that no placeholder uses, or the whole row if there are none, as the request's JSON body.
        JsonBody = "json_body",
        /// The mapped columns that no placeholder uses as fields of a form body (application/x-www-form-urlencoded). A
        /// null leaves its field out.
        FormBody = "form_body",
        /// Text as the request's body: a template with `{name}` placeholders, or one column.
        TextBody(TextBody) = "text_body",
        /// A template in the language of Jinja, rendered for every row as the request's body.
        TemplateBody(TemplateBody) = "template_body",
        /// Mapped columns as query parameters. A null leaves its parameter out.
        ParamInjector(ParamInjector) = "param_injector",
        /// Headers whose values may hold columns.
        Headers(Headers) = "headers",
        /// A token of the config in every request, as `Bearer` and the token.
        BearerToken(BearerToken) = "bearer_token",
        /// A value of the config, or a user and password, in a header of every request.
        HeaderAuth(HeaderAuth) = "header_auth",
        /// Compresses the request's body. Stands after the middleware that makes it.
        CompressBody(CompressBody) = "compress_body",
        /// The request_id in a header and a form of the API's own.
        IdempotencyKey(IdempotencyKey) = "idempotency_key",
        /// Reads the answer's body as JSON: checks it, picks columns of it, and decides by it what a success is.
        JsonResponse(JsonResponse) = "json_response",
        /// A script that shapes the request and judges the answer.
        Script(Script) = "script",
        /// A middleware of one's own, compiled into the native library.
        Custom(Custom) = "custom",
        /// The place of the section `auth` in the chain; innermost when it is not named.
        Auth = "auth",
        /// One log line per exchange.
        Logging(Logging) = "logging",
        /// Fills the sink's column elapsed_ms, and of the column transport the times that the phases of the last attempt took.
        Timing = "timing",
        /// Fills the sink's column worker.
        WorkerIdentity = "worker_identity",
        /// Fills the sink's column transport: protocol, peer, and what the connection had been used for before.
        TransportDiagnostic = "transport_diagnostic",
    }
}
