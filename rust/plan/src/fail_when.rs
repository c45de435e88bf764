//! What stops a run early.

use serde::{Deserialize, Serialize};

/// What stops a run early. Rows count since the run was opened or gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailWhen {
    /// Failed rows; none for no such limit.
    pub failed_rows: Option<u64>,
    /// Share of failed rows, from 0 to 1, that may not be exceeded; none for no such limit.
    pub failed_share: Option<f64>,
    /// Rows after which the share counts.
    pub after_rows: u64,
    /// Rows after which a process stops if all of them were answered with 401 or 403; 0 for never.
    pub unauthorized_rows: u64,
}

impl FailWhen {
    pub(crate) fn of(config: &apisink_config::FailWhen) -> Self {
        Self {
            failed_rows: config.failed_rows,
            failed_share: config.failed_share,
            after_rows: config.after_rows,
            unauthorized_rows: config.unauthorized_rows,
        }
    }
}
