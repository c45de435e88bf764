//! `execution.fail_when`: what stops a run early.

use crate::keys::{keys, number, whole};
use crate::problem::Code;
use crate::reader::Section;

keys! {
    /// What stops a run early. What was answered is kept; rows count since the run was begun or gone on with, and those
    /// whose outcome is not `success` have failed. Each executor process judges by its own rows at once, the driver by all
    /// of them as often as executors report (`spark.executor.heartbeatInterval`).
    pub struct FailWhen {
        /// Failed rows that stop the run.
        failed_rows: Option<u64> = whole(1..=1_000_000_000_000, "rows").for_example(1000).optional("no number of them does"),
        /// Share of failed rows among all that stops the run when it is exceeded.
        failed_share: Option<f64> =
            number(0.0..=1.0, "failed rows per row").for_example(0.5).optional("no share of them does"),
        /// Rows after which the share counts.
        after_rows: u64 = whole(1..=1_000_000_000, "rows").or(100),
        /// Rows after which an executor process stops the run if the API has answered all of them with 401 or 403; 0 for
        /// never.
        unauthorized_rows: u64 = whole(0..=1_000_000_000, "rows").or(20),
    }
    check |section| check_share(section, failed_share.flatten());
}

fn check_share(section: &Section<'_>, share: Option<f64>) {
    if share.is_none() && section.has("after_rows") {
        section.note(
            section.place("after_rows"),
            Code::Unused,
            "`after_rows` says when `failed_share` begins to count, and there is none",
            "write `failed_share`, or leave `after_rows` out",
        );
    }
}
