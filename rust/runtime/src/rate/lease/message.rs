//! What executors and driver say to each other, and its bytes: JSON, for both sides are of one version and few messages
//! go per second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::RuntimeError;
use crate::rate::Limit;

/// An executor's wish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The executor, by its name in this application.
    pub executor: String,
    /// The limit that it is about.
    pub limit: Limit,
    /// The executor's own number of this wish; comes back with the grant.
    pub number: u64,
    /// Attempts that wait for a slot. May be 0, when there is a brake only.
    pub wanted: u32,
    /// The server has asked to wait so long.
    pub hold: Option<Duration>,
}

/// The driver's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The limit's name.
    pub limit: String,
    /// Number of the wish.
    pub number: u64,
    /// Slots given; at least 1 when any were wanted, unless the limit is held.
    pub slots: u32,
    /// From the making of this answer to the first slot; without any, to the next wish.
    pub ahead: Duration,
    /// From the first slot to the making of this answer, when it is one of a burst.
    pub behind: Duration,
    /// From one slot to the next.
    pub interval: Duration,
}

macro_rules! bytes {
    ($message:ty) => {
        impl $message {
            /// The message's bytes.
            pub fn to_bytes(&self) -> Vec<u8> {
                serde_json::to_vec(self).unwrap_or_default()
            }

            /// The message of such bytes.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, RuntimeError> {
                serde_json::from_slice(bytes).map_err(|e| {
                    RuntimeError::Process(format!("a message about the rate limit cannot be read: {e}"))
                })
            }
        }
    };
}

bytes!(Ask);
bytes!(Grant);
