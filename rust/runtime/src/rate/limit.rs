//! A limit by name.

use serde::{Deserialize, Serialize};

/// So many attempts per second. Plans whose limits have the same name share one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What it is the limit of, and its numbers.
    pub name: String,
    /// Attempts per second; positive and finite.
    pub per_second: f64,
    /// Attempts that may go at once after a pause; at least 1.
    pub burst: u32,
}

/// Who keeps a limit on a cluster. The driver decides; all sessions of a process have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Keeper {
    /// This process: nobody else sends.
    #[default]
    Process,
    /// This process its share of the tasks that can run at once in the cluster: for each running task one of so many.
    Share(u32),
    /// The driver, who leases slots.
    Driver,
}
