//! A run's directory.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{JournalFile, Lock};

/// What a run fixed when it was opened, as far as people ask for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenRecord {
    pub(crate) run_id: String,
    pub(crate) partitions: u32,
    pub(crate) id_column: Option<String>,
    pub(crate) columns: String,
    pub(crate) sink: String,
    pub(crate) created: String,
    pub(crate) spark_version: String,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Opened: rows may have been sent, nothing is in the sink.
    Open,
    /// A commit was promised and is not known to be in the sink: the next write finishes it.
    Committing(u32),
    /// Every row is in the sink.
    Done,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Committing(number) => write!(f, "committing {number}"),
            Self::Done => f.write_str("done"),
        }
    }
}

/// A run, from its directory.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) directory: PathBuf,
    pub(crate) record: OpenRecord,
    pub(crate) state: State,
    pub(crate) lock: Lock,
    /// How its rows ended; of a finished run only.
    pub(crate) outcomes: Map<String, Value>,
    /// Its partitions that have a directory.
    partitions: Vec<(u32, PathBuf)>,
}

impl Run {
    /// Reads a run's directory; none when it is no such directory.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, String> {
        let failed = |error: io::Error| format!("{}: {error}", directory.display());
        let names = names(directory).map_err(failed)?;
        if !names.contains("open.json") {
            return Ok(None);
        }
        let partitions =
            names.iter().filter_map(|name| Some((partition(name)?, directory.join(name)))).collect();
        Ok(Some(Self {
            record: json(&directory.join("open.json"))?,
            state: state(&names),
            lock: Lock::read(directory, &names),
            outcomes: if names.contains("done.json") {
                outcomes(&directory.join("done.json"))?
            } else {
                Map::new()
            },
            partitions,
            directory: directory.to_owned(),
        }))
    }

    /// Its finished journal files by partition, partitions without any left out.
    pub(crate) fn files(&self) -> Result<Vec<(u32, Vec<JournalFile>)>, String> {
        let mut all = Vec::new();
        for (number, directory) in &self.partitions {
            let files =
                JournalFile::all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
            if !files.is_empty() {
                all.push((*number, files));
            }
        }
        Ok(all)
    }

    /// What of the journal is not needed once the run is done.
    pub(crate) fn journal(&self) -> Vec<PathBuf> {
        let delivered = self.directory.join("delivered");
        let partitions = self.partitions.iter().map(|(_, directory)| directory.clone());
        partitions.chain(delivered.exists().then_some(delivered)).collect()
    }

    /// When something was last written to it.
    pub(crate) fn last_written(&self) -> Result<Timestamp, String> {
        let mut last = modified(&self.directory)?;
        for (_, directory) in &self.partitions {
            last = last.max(modified(directory)?);
        }
        Ok(last)
    }
}

/// The runs below a journal's directory, by their names.
pub(crate) fn runs(journal: &Path) -> Result<Vec<Run>, String> {
    let names = names(journal).map_err(|error| format!("{}: {error}", journal.display()))?;
    let mut runs = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let directory = journal.join(name);
        if directory.is_dir() {
            runs.extend(Run::read(&directory)?);
        }
    }
    Ok(runs)
}

/// Of a commit that was promised, withdrawn and made, the last step counts.
fn state(names: &BTreeSet<String>) -> State {
    if names.contains("done.json") {
        return State::Done;
    }
    let promised = |name: &String| name.strip_prefix("manifest-")?.strip_suffix(".json")?.parse::<u32>().ok();
    let left = names
        .iter()
        .filter_map(promised)
        .filter(|number| !names.contains(&format!("withdrawn-{number}.json")));
    left.max().map_or(State::Open, State::Committing)
}

fn partition(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('p')?;
    if digits.len() >= 5 { digits.parse().ok() } else { None }
}

fn names(directory: &Path) -> io::Result<BTreeSet<String>> {
    let entries = std::fs::read_dir(directory)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn modified(path: &Path) -> Result<Timestamp, String> {
    let time: io::Result<SystemTime> = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let failed = |error: String| format!("{}: {error}", path.display());
    Timestamp::try_from(time.map_err(|error| failed(error.to_string()))?)
        .map_err(|error| failed(error.to_string()))
}

fn outcomes(file: &Path) -> Result<Map<String, Value>, String> {
    #[derive(Deserialize)]
    struct Done {
        outcomes: Map<String, Value>,
    }
    Ok(json::<Done>(file)?.outcomes)
}

fn json<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, String> {
    let failed = |why: String| format!("{}: {why}", file.display());
    let text = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> State {
        state(&names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_state_is_what_the_last_step_made_it() {
        assert_eq!(of(&["open.json"]), State::Open);
        assert_eq!(of(&["open.json", "manifest-0.json"]), State::Committing(0));
        assert_eq!(of(&["open.json", "manifest-0.json", "withdrawn-0.json"]), State::Open);
        assert_eq!(
            of(&["open.json", "manifest-0.json", "withdrawn-0.json", "manifest-1.json"]),
            State::Committing(1)
        );
        assert_eq!(of(&["open.json", "manifest-0.json", "done-0.json", "done.json"]), State::Done);
    }
}
