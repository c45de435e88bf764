//! What stops a run early: `execution.fail_when`, as far as one process can tell by the rows that it has sent itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apisink_plan::FailWhen;
use http::StatusCode;

use crate::error::RuntimeError;
use crate::exchange::{Exchange, Outcome};

/// Runs that are remembered after their last session; a failed task is tried again and must find its run stopped.
const MOST_KEPT: usize = 64;

/// The watches of a process, by the opening of their runs.
///
/// Lifetime: that of the process. Bound: those in use, and as many more as [`MOST_KEPT`]. Holds no credentials.
#[derive(Debug, Default)]
pub(crate) struct Watches(Mutex<HashMap<String, Arc<Watch>>>);

impl Watches {
    /// The watch of a run since it was opened, or gone on with, under this name.
    pub(crate) fn of(&self, opening: &str, limits: FailWhen) -> Arc<Watch> {
        let mut watches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.len() >= MOST_KEPT && !watches.contains_key(opening) {
            watches.retain(|_, watch| Arc::strong_count(watch) > 1);
        }
        watches.entry(opening.to_owned()).or_insert_with(|| Arc::new(Watch::new(limits))).clone()
    }
}

/// Counts the rows of a run and says when it has to stop.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: FailWhen,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    rows: u64,
    failed: u64,
    unauthorized: u64,
    /// Why the run has stopped.
    verdict: Option<RuntimeError>,
}

impl Watch {
    pub(crate) fn new(limits: FailWhen) -> Self {
        Self { limits, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails when the run has stopped.
    pub(crate) fn check(&self) -> Result<(), RuntimeError> {
        self.seen().verdict.clone().map_or(Ok(()), Err)
    }

    /// Counts a completed row. Fails when the run has stopped, be it by this row.
    pub(crate) fn count(&self, exchange: &Exchange) -> Result<(), RuntimeError> {
        let mut seen = self.seen();
        seen.rows += 1;
        if exchange.outcome() != Outcome::Success {
            seen.failed += 1;
            seen.unauthorized += u64::from(is_unauthorized(exchange));
            if seen.verdict.is_none() {
                let why = self.exceeded(&seen);
                seen.verdict =
                    why.map(|why| RuntimeError::FailWhen(format!("{why}; the last: {}", describe(exchange))));
            }
        }
        seen.verdict.clone().map_or(Ok(()), Err)
    }

    fn exceeded(&self, seen: &Seen) -> Option<String> {
        let Seen { rows, failed, unauthorized, .. } = *seen;
        let limits = &self.limits;
        if limits.unauthorized_rows > 0 && unauthorized == rows && rows >= limits.unauthorized_rows {
            return Some(format!(
                "the API has answered all of the first {rows} rows with 401 or 403 \
                 (execution.fail_when.unauthorized_rows: {})",
                limits.unauthorized_rows
            ));
        }
        if let Some(most) = limits.failed_rows.filter(|most| failed >= *most) {
            return Some(format!("{failed} of {rows} rows failed (execution.fail_when.failed_rows: {most})"));
        }
        let share =
            limits.failed_share.filter(|share| rows >= limits.after_rows && is_more(failed, *share, rows))?;
        Some(format!("{failed} of {rows} rows failed (execution.fail_when.failed_share: {share})"))
    }
}

#[allow(clippy::cast_precision_loss, reason = "rows are far fewer than 2^52")]
fn is_more(failed: u64, share: f64, rows: u64) -> bool {
    failed as f64 > share * rows as f64
}

fn is_unauthorized(exchange: &Exchange) -> bool {
    let status =
        exchange.result.as_ref().and_then(|result| result.as_ref().ok()).map(|response| response.status);
    matches!(status, Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
}

/// What is known of a failed row without its data: its key, and what the API or the transport said in a word.
fn describe(exchange: &Exchange) -> String {
    let what = match &exchange.result {
        Some(Ok(response)) => format!("status {}", response.status.as_u16()),
        Some(Err(failure)) => failure.kind.word().to_owned(),
        None => "no answer".to_owned(),
    };
    let row = exchange.tracking_id.as_deref().unwrap_or("without a key");
    format!("row {row}, {}, {what}", exchange.outcome().word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::sample::{answer, exchange};

    const OFF: FailWhen =
        FailWhen { failed_rows: None, failed_share: None, after_rows: 10, unauthorized_rows: 0 };

    fn row(status: u16) -> Exchange {
        let mut exchange = exchange();
        exchange.result = Some(answer(status, &[]));
        exchange
    }

    /// After how many of these rows the run stops, and why.
    fn stop(limits: FailWhen, statuses: impl IntoIterator<Item = u16>) -> Option<(usize, String)> {
        let watch = Watch::new(limits);
        statuses.into_iter().enumerate().find_map(|(index, status)| {
            watch.count(&row(status)).err().map(|error| (index + 1, error.to_string()))
        })
    }

    #[test]
    fn a_run_without_limits_goes_on_whatever_fails() {
        assert_eq!(stop(OFF, [500; 1000]), None);
    }

    #[test]
    fn a_number_of_failed_rows_stops_it() {
        let (rows, why) =
            stop(FailWhen { failed_rows: Some(3), ..OFF }, [200, 500, 500, 200, 404, 500]).unwrap();
        assert_eq!(rows, 5);
        assert!(
            why.contains("3 of 5 rows failed") && why.contains("row t-1, http_error, status 404"),
            "{why}"
        );
    }

    #[test]
    fn a_share_counts_after_so_many_rows_and_must_be_exceeded() {
        let limits = FailWhen { failed_share: Some(0.5), ..OFF };
        assert_eq!(stop(limits, [500; 9]), None);
        assert_eq!(stop(limits, [500; 10]).map(|(rows, _)| rows), Some(10));
        assert_eq!(stop(limits, [200, 500].repeat(50)), None);
        assert_eq!(
            stop(limits, [[200, 500].repeat(50), vec![500]].concat()).map(|(rows, _)| rows),
            Some(101)
        );
    }

    #[test]
    fn refused_credentials_stop_it_at_once_unless_some_row_got_through() {
        let limits = FailWhen { unauthorized_rows: 4, ..OFF };
        assert_eq!(stop(limits, [401, 403, 401, 401]).map(|(rows, _)| rows), Some(4));
        assert_eq!(stop(limits, [[401, 200].to_vec(), vec![401; 100]].concat()), None);
        assert_eq!(stop(limits, [500; 100]), None);
    }

    #[test]
    fn a_run_that_has_stopped_stays_so_until_it_is_gone_on_with() {
        let watches = Watches::default();
        let limits = FailWhen { failed_rows: Some(1), ..OFF };
        watches.of("first", limits).count(&row(500)).unwrap_err();
        assert!(watches.of("first", limits).check().is_err());
        assert!(watches.of("second", limits).check().is_ok());
    }

    #[test]
    fn only_so_many_runs_are_remembered() {
        let watches = Watches::default();
        let held = watches.of("held", OFF);
        for number in 0..10 * MOST_KEPT {
            watches.of(&number.to_string(), OFF);
        }
        assert!(watches.0.lock().unwrap().len() <= MOST_KEPT + 1);
        assert!(Arc::ptr_eq(&held, &watches.of("held", OFF)));
    }
}
