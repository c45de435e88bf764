//! Secret values: they travel beside the plan, never in it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::plan::SecretSlot;

/// A secret. `Debug` and `Display` print `***`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: for the wire only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The values of a plan's secret slots, in the order of the slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretValues(Vec<Secret>);

impl SecretValues {
    /// Adds a value and returns its slot.
    pub fn push(&mut self, secret: Secret) -> SecretSlot {
        self.0.push(secret);
        SecretSlot(self.0.len() as u32 - 1)
    }

    /// The value of a slot.
    pub fn get(&self, slot: SecretSlot) -> Option<&Secret> {
        self.0.get(slot.0 as usize)
    }
}
