//! `apisink journal ls`.

use std::path::PathBuf;

use clap::Args;

use super::size;
use crate::failure::{Failure, print};
use crate::journal::{JournalFile, Lock, Run, runs};

/// List the runs of a journal: how far each is, what it holds and who has it
#[derive(Args, Debug)]
pub(crate) struct Ls {
    /// The journal's directory
    directory: PathBuf,
}

impl Ls {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let runs = runs(&self.directory).map_err(Failure::Other)?;
        if runs.is_empty() {
            return print(&format!("{}: there are no runs here\n", self.directory.display()));
        }
        let width = runs.iter().map(|run| run.record.run_id.len()).max().unwrap_or(0);
        for run in &runs {
            let line = format!("{:<width$}  {}", run.record.run_id, describe(run)?);
            print(&format!("{}\n", line.trim_end()))?;
        }
        Ok(())
    }
}

fn describe(run: &Run) -> Result<String, Failure> {
    let files: Vec<JournalFile> =
        run.files().map_err(Failure::Other)?.into_iter().flat_map(|(_, files)| files).collect();
    let bytes = files.iter().map(|file| file.bytes).sum();
    let held = match &run.lock {
        Lock::Free => String::new(),
        Lock::Left(who) => format!("; left by {who}"),
        Lock::Held(who) => format!("; held by {who}"),
    };
    let journal = if files.is_empty() {
        "no journal".to_owned()
    } else {
        format!("{} journal files, {}", files.len(), size(bytes))
    };
    let rows = run.outcomes.get("rows").map(|rows| format!("; {rows} rows")).unwrap_or_default();
    Ok(format!(
        "{:<13}  opened {}{rows}; {journal}; sink {}{held}",
        run.state.to_string(),
        run.record.created,
        run.record.sink
    ))
}
