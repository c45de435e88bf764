//! A run's journal and ledger as they lie in a directory, read without Spark. The Scala side writes them (`io.apisink.ledger`,
//! `io.apisink.journal`); its doc comments are the format's definition.
//!
//! ```text
//! <journal>/<run id>/open.json                what was fixed when the run was opened
//!                    manifest-<n>.json        commit n takes exactly these files
//!                    done-<n>.json            commit n is in the sink; withdrawn-<n>.json: it never will be
//!                    done.json                every row is in the sink
//!                    lock-<n>.json            who took the run as the n-th; unlock-<n>.json: it was given back
//!                    p00003/<attempt>-<seq>.<CRC-32C>.arrow    answers of a partition
//! ```

mod file;
mod lock;
mod run;

pub(crate) use file::JournalFile;
pub(crate) use lock::Lock;
pub(crate) use run::{Run, State, runs};
