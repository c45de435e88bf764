//! Times as Java gives them.

use std::time::Duration;

use jni::sys::jlong;

/// So many milliseconds; none for what is negative.
pub(crate) fn millis(millis: jlong) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
