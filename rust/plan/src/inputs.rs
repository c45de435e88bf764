//! What the driver found out before compilation.

use apisink_config::ReferenceKind;
use serde::{Deserialize, Serialize};

use crate::secrets::Secret;

/// What a config's references stand for, and the source's columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// One entry for each reference of the config; the order does not matter.
    #[serde(default)]
    pub references: Vec<ResolvedReference>,
    /// Names of the source's top-level columns; none when they are not known yet.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// Whether the caller hands over a DataFrame, as `df.write` does; else `tables.source` must name its rows. None when
    /// that is not decided yet.
    #[serde(default, rename = "dataFrame")]
    pub data_frame: Option<bool>,
    /// The middleware that the native library registers beside the built-in ones; none when no library is there to ask.
    #[serde(default)]
    pub middleware: Option<Vec<String>>,
    /// Whether requests are rendered and not sent.
    #[serde(default, rename = "dryRun")]
    pub dry_run: bool,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            references: Vec::new(),
            columns: None,
            data_frame: Some(true),
            middleware: None,
            dry_run: false,
        }
    }
}

/// A reference and its value, or why it has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResolvedReference {
    /// Where the value comes from.
    pub kind: ReferenceKind,
    /// Scope of the secret store; empty for the environment.
    #[serde(default)]
    pub scope: String,
    /// Key in the scope, or the variable's name.
    pub key: String,
    /// The value.
    #[serde(default)]
    pub value: Option<Secret>,
    /// Why there is no value.
    #[serde(default)]
    pub error: Option<String>,
}
