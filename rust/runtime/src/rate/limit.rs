//! A limit by name.

use serde::{Deserialize, Serialize};

/// So many attempts per second to one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Scheme and authority of the server.
    pub server: String,
    /// Attempts per second; positive and finite.
    pub per_second: f64,
    /// Attempts that may go at once after a pause; at least 1.
    pub burst: u32,
}

impl Limit {
    /// Plans with the same name share the limit.
    pub fn name(&self) -> String {
        format!("{} {}/s burst {}", self.server, self.per_second, self.burst)
    }
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
