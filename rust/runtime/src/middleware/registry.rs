//! Middleware by name: resolved late, where the chain is instantiated.

use std::collections::BTreeMap;
use std::sync::Arc;

use apisink_plan::{LinkPlan, LogLevel, Plan, SecretSlot, SecretValues};
use serde::de::DeserializeOwned;

use super::{
    Chain, Link, auth, compress_body, credentials, form_body, headers, idempotency_key, json_body,
    json_response, logging, param_injector, retry, script, template_body, text_body, timing,
    transport_diagnostic, worker_identity,
};
use crate::engine::Engine;
use crate::error::RuntimeError;
use crate::mask::Mask;
use crate::retry_budget::RetryBudget;
use crate::row::Binder;
use crate::session::LogLines;
use crate::token::Tokens;

/// Makes a link from its plan.
pub type Factory = fn(&mut BuildContext<'_, '_>) -> Result<Link, RuntimeError>;

/// What a factory may look at.
pub struct BuildContext<'a, 's> {
    link: &'a LinkPlan,
    /// The whole plan.
    pub plan: &'a Plan,
    pub(super) secrets: &'a SecretValues,
    /// The tokens of the process; none when the plan needs none, or sends nothing.
    pub(super) tokens: Option<&'a Arc<Tokens>>,
    /// Masks credentials in what comes back.
    pub(super) mask: &'a Arc<Mask>,
    /// The retry budget of the process.
    pub(super) retry_budget: Option<&'a Arc<RetryBudget>>,
    /// Binds the columns that the middleware reads.
    pub binder: &'a mut Binder<'s>,
    /// The least severe level of log lines that anybody will read.
    pub log_level: LogLevel,
    /// Where log lines go.
    pub lines: &'a Arc<LogLines>,
}

impl BuildContext<'_, '_> {
    /// The name of the middleware.
    pub fn name(&self) -> &str {
        &self.link.middleware
    }

    /// The middleware's own specification.
    pub fn spec<T: DeserializeOwned>(&self) -> Result<T, RuntimeError> {
        serde_json::from_value(self.link.spec.clone())
            .map_err(|e| RuntimeError::Plan(format!("middleware {}: {e}", self.link.middleware)))
    }

    /// The value of a secret.
    pub fn secret(&self, slot: SecretSlot) -> Result<&str, RuntimeError> {
        crate::request::secret(self.secrets, slot)
    }
}

/// The known middleware.
pub struct Registry {
    factories: BTreeMap<&'static str, Factory>,
}

impl Default for Registry {
    fn default() -> Self {
        let factories: [(&'static str, Factory); 18] = [
            ("auth", auth::make),
            ("bearer_token", credentials::bearer_token),
            ("compress_body", compress_body::make),
            ("form_body", form_body::make),
            ("header_auth", credentials::header_auth),
            ("headers", headers::make),
            ("idempotency_key", idempotency_key::make),
            ("json_body", json_body::make),
            ("json_response", json_response::make),
            ("logging", logging::make),
            ("param_injector", param_injector::make),
            ("retry", retry::make),
            ("script", script::make),
            ("template_body", template_body::make),
            ("text_body", text_body::make),
            ("timing", timing::make),
            ("transport_diagnostic", transport_diagnostic::make),
            ("worker_identity", worker_identity::make),
        ];
        Self { factories: factories.into() }
    }
}

impl Registry {
    /// Adds a middleware, or replaces one.
    pub fn register(&mut self, name: &'static str, factory: Factory) {
        self.factories.insert(name, factory);
    }

    /// The names of those that are not built in.
    pub fn own(&self) -> Vec<String> {
        let built_in = Self::default();
        let own = self.factories.keys().filter(|name| !built_in.factories.contains_key(*name));
        own.map(|name| (*name).to_owned()).collect()
    }

    /// Instantiates the chain of an engine's plan for one session.
    pub(crate) fn chain(
        &self,
        engine: &Engine,
        binder: &mut Binder<'_>,
        log_level: LogLevel,
        lines: &Arc<LogLines>,
    ) -> Result<Chain, RuntimeError> {
        let Engine { plan, secrets, .. } = engine;
        let links = plan
            .chain
            .iter()
            .map(|link| {
                let factory = self.factories.get(link.middleware.as_str()).ok_or_else(|| {
                    let known: Vec<_> = self.factories.keys().copied().collect();
                    RuntimeError::Plan(format!(
                        "there is no middleware {}; there are {}",
                        link.middleware,
                        known.join(", ")
                    ))
                })?;
                factory(&mut BuildContext {
                    link,
                    plan,
                    secrets,
                    tokens: engine.tokens.as_ref(),
                    mask: &engine.mask,
                    retry_budget: engine.retry_budget.as_ref(),
                    binder,
                    log_level,
                    lines,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Chain::new(links))
    }
}
