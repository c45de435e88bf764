//! `apisink journal gc`.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::size;
use crate::failure::{Failure, print};
use crate::journal::{Lock, Run, State, runs};

/// Name what of a journal is of no use any more, and with --remove remove it
///
/// That is: journal files of runs that are done, and all of a run that was done so long ago. A run that is not done is kept,
/// unless --unfinished is given: its answers are in no sink yet. A run that somebody holds is always kept.
///
/// A run whose ledger is gone is not known to be done. Writing with its runId again is refused, as long as the sink has rows
/// of it.
#[derive(Args, Debug)]
pub(crate) struct Gc {
    /// The journal's directory
    directory: PathBuf,

    /// Age since the last change, such as 30d or 12h
    #[arg(long, value_name = "AGE", default_value = "30d", value_parser = age)]
    older_than: SignedDuration,

    /// Runs that are not done, too: answers that are in no sink are lost then
    #[arg(long)]
    unfinished: bool,

    /// Remove what is named
    #[arg(long)]
    remove: bool,
}

/// What becomes of a run.
enum Fate {
    Kept(String),
    /// Its journal goes and its ledger stays.
    Emptied(Vec<PathBuf>, u64),
    /// All of it goes.
    Removed(String, u64),
}

impl Gc {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = Timestamp::now();
        let (mut removed, mut bytes) = (0, 0);
        for run in runs(&self.directory).map_err(Failure::Other)? {
            let id = &run.record.run_id;
            let (goes, said, count) = match self.fate(&run, now)? {
                Fate::Kept(why) => (Vec::new(), format!("{id}: kept, {why}"), 0),
                Fate::Emptied(goes, count) => (goes, format!("{id}: its journal, for it is done"), count),
                Fate::Removed(why, count) => {
                    (vec![run.directory.clone()], format!("{id}: all of it, {why}"), count)
                }
            };
            removed += usize::from(!goes.is_empty());
            bytes += count;
            print(&format!("{said}\n"))?;
            if self.remove {
                remove(&goes)?;
            }
        }
        let (size, done) =
            (size(bytes), if self.remove { "removed" } else { "would go; --remove removes it" });
        print(&format!("of {removed} runs {size} {done}\n"))
    }

    fn fate(&self, run: &Run, now: Timestamp) -> Result<Fate, Failure> {
        let age = now.duration_since(run.last_written().map_err(Failure::Other)?);
        let old = age > self.older_than;
        if let Lock::Held(who) = &run.lock {
            return Ok(Fate::Kept(format!("held by {who}")));
        }
        Ok(match run.state {
            State::Done if old => Fate::Removed(format!("done, {} old", days(age)), weight(&run.directory)?),
            State::Done => {
                let journal = run.journal();
                let bytes = journal.iter().map(|path| weight(path)).sum::<Result<u64, Failure>>()?;
                if journal.is_empty() {
                    Fate::Kept(format!("done, {} old", days(age)))
                } else {
                    Fate::Emptied(journal, bytes)
                }
            }
            state if self.unfinished && old => Fate::Removed(
                format!("{state}, {} old, its answers are lost", days(age)),
                weight(&run.directory)?,
            ),
            state => {
                Fate::Kept(format!("{state}, {} old; a write with this runId goes on with it", days(age)))
            }
        })
    }
}

fn remove(paths: &[PathBuf]) -> Result<(), Failure> {
    for path in paths {
        std::fs::remove_dir_all(path)
            .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// Bytes of all files below a path.
fn weight(path: &Path) -> Result<u64, Failure> {
    let failed = |error: std::io::Error| Failure::Other(format!("{}: {error}", path.display()));
    let mut sum = 0;
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        sum += if metadata.is_dir() { weight(&entry.path())? } else { metadata.len() };
    }
    Ok(sum)
}

fn days(age: SignedDuration) -> String {
    let hours = age.as_hours().max(0);
    if hours < 48 { format!("{hours} h") } else { format!("{} days", hours / 24) }
}

fn age(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text.parse().map_err(|_| "write a number and a unit, such as 30d or 12h".to_owned())?;
    let age = span.to_duration(SpanRelativeTo::days_are_24_hours());
    age.map_err(|_| "write days, hours or minutes, such as 30d or 12h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_days_and_hours() {
        assert_eq!(age("30d").unwrap(), SignedDuration::from_hours(720));
        assert_eq!(age("12h").unwrap(), SignedDuration::from_hours(12));
        assert!(age("soon").is_err() && age("1 month").is_err());
    }
}
