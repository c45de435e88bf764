//! Engines by name: resolved where a plan is first run.

use std::collections::BTreeMap;

use apisink_plan::{SecretSlot, SecretValues, TransportPlan};

use super::{Transport, hyper, render};
use crate::error::RuntimeError;

/// Makes an engine for a plan. Opens nothing yet: that is left to the first request, or to the warm-up.
pub type EngineFactory = fn(&EngineContext<'_>) -> Result<Box<dyn Transport>, RuntimeError>;

/// What a factory may look at.
pub struct EngineContext<'a> {
    /// How connections are made and kept.
    pub plan: &'a TransportPlan,
    secrets: &'a SecretValues,
}

impl<'a> EngineContext<'a> {
    /// The context of a plan and its secrets.
    pub fn new(plan: &'a TransportPlan, secrets: &'a SecretValues) -> Self {
        Self { plan, secrets }
    }

    /// The value of a secret.
    pub fn secret(&self, slot: SecretSlot) -> Result<&'a str, RuntimeError> {
        crate::request::secret(self.secrets, slot)
    }
}

/// The engine that sends nothing.
pub(crate) const RENDER: &str = "render";

/// The known engines.
#[derive(Clone, Debug)]
pub struct Engines {
    factories: BTreeMap<&'static str, EngineFactory>,
}

impl Default for Engines {
    fn default() -> Self {
        let factories: [(&'static str, EngineFactory); 2] = [("hyper", hyper::make), (RENDER, render::make)];
        Self { factories: factories.into() }
    }
}

impl Engines {
    /// Adds an engine, or replaces one.
    pub fn register(&mut self, name: &'static str, factory: EngineFactory) {
        self.factories.insert(name, factory);
    }

    /// Makes the engine that a plan names.
    pub fn make(&self, context: &EngineContext<'_>) -> Result<Box<dyn Transport>, RuntimeError> {
        let name = context.plan.engine.as_str();
        let factory = self.factories.get(name).ok_or_else(|| {
            let known: Vec<_> = self.factories.keys().copied().collect();
            RuntimeError::Plan(format!("there is no transport engine {name}; there are {}", known.join(", ")))
        })?;
        factory(context)
    }
}
