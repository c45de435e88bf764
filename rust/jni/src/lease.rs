//! The messages of leased rate limits: fetched and delivered on executors, answered on the driver.

use std::sync::LazyLock;

use apisink_runtime::Process;
use apisink_runtime::rate::Steering;
use apisink_runtime::rate::lease::{Ask, Grant, LessorDesk};
use jni::sys::jlong;

use crate::error::NativeError;
use crate::millis::millis;

/// The schedules of the application whose driver this process is. Lifetime: the first wish to the end of the process.
/// Bound: one entry per limit and one name per executor that asked lately. No credentials.
static LESSOR: LazyLock<LessorDesk> = LazyLock::new(LessorDesk::default);

/// The next wish of this executor; empty when there is none in time.
pub(crate) fn ask(timeout_millis: jlong) -> Result<Vec<u8>, NativeError> {
    let timeout = millis(timeout_millis);
    let ask = Process::global()?.limits().desk().next_ask(timeout);
    Ok(ask.map(|ask| ask.to_bytes()).unwrap_or_default())
}

pub(crate) fn deliver(grant: &[u8]) -> Result<(), NativeError> {
    Process::global()?.limits().desk().deliver(&Grant::from_bytes(grant)?);
    Ok(())
}

pub(crate) fn give_up(ask: &[u8]) -> Result<(), NativeError> {
    Process::global()?.limits().desk().give_up(&Ask::from_bytes(ask)?);
    Ok(())
}

/// On the driver: steers the limit of a name, be it kept by this process or leased.
pub(crate) fn steer(limit: &str, per_second: f64, pause_millis: jlong) -> Result<(), NativeError> {
    let per_second = Some(per_second).filter(|rate| rate.is_finite() && *rate > 0.0);
    let pause = millis(pause_millis);
    let steering = Steering { per_second, pause };
    LESSOR.steer(limit, steering);
    Process::global()?.limits().steer(limit, steering);
    Ok(())
}

/// On the driver: the answer to a wish. Does not block.
pub(crate) fn answer(ask: &[u8]) -> Result<Vec<u8>, NativeError> {
    Ok(LESSOR.answer(&Ask::from_bytes(ask)?).to_bytes())
}
