//! `apisink journal show`.

use std::io;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_json::LineDelimitedWriter;
use clap::Args;

use super::size;
use crate::failure::{Failure, print};
use crate::journal::{JournalFile, Lock, Run, State};

/// Show a run: what it fixed, how far it is, its journal files and whether they are whole
///
/// Ends with exit code 1 when a file is damaged: its rows are sent again when the run goes on.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The run's directory: <journal>/<run id>
    directory: PathBuf,

    /// Print the journaled response rows instead, one JSON object a line
    #[arg(long)]
    rows: bool,

    /// How many rows
    #[arg(short, value_name = "COUNT", requires = "rows")]
    n: Option<usize>,
}

impl Show {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let run = Run::read(&self.directory).map_err(Failure::Other)?.ok_or_else(|| {
            Failure::Other(format!(
                "{}: there is no run here; name a run's directory, <journal>/<run id> (`apisink journal ls` lists them)",
                self.directory.display()
            ))
        })?;
        if self.rows { self.print_rows(&run) } else { summary(&run) }
    }

    fn print_rows(&self, run: &Run) -> Result<(), Failure> {
        let mut left = self.n.unwrap_or(usize::MAX);
        for (_, files) in run.files().map_err(Failure::Other)? {
            for file in files {
                if left == 0 {
                    return Ok(());
                }
                if let Some(why) = judge(&file)? {
                    eprintln!("apisink: {} {why}; it is left out", file.path.display());
                    continue;
                }
                for batch in file.batches().map_err(|why| unreadable(&file, &why))? {
                    let batch = batch.map_err(|why| unreadable(&file, &why))?;
                    let batch = batch.slice(0, left.min(batch.num_rows()));
                    left -= batch.num_rows();
                    print(&lines(&batch).map_err(|why| unreadable(&file, &why))?)?;
                }
            }
        }
        Ok(())
    }
}

fn summary(run: &Run) -> Result<(), Failure> {
    let record = &run.record;
    let identity =
        record.id_column.as_ref().map_or("the row's content".to_owned(), |name| format!("column {name}"));
    print(&format!(
        "run        {}\nopened     {} by Spark {}\nstate      {}\nsink       {}\nidentity   {identity}\n\
         columns    {}\npartitions {}\nlock       {}\n",
        record.run_id,
        record.created,
        record.spark_version,
        state(run.state),
        record.sink,
        record.columns,
        record.partitions,
        match &run.lock {
            Lock::Free => "free".to_owned(),
            Lock::Left(who) => format!("left by {who}, which is gone: the next write takes it over"),
            Lock::Held(who) => format!("held by {who}"),
        },
    ))?;
    if !run.outcomes.is_empty() {
        let counted = run.outcomes.iter().filter(|(_, count)| count.as_u64() != Some(0));
        let counts: Vec<String> = counted.map(|(name, count)| format!("{name}={count}")).collect();
        print(&format!("outcomes   {}\n", counts.join(" ")))?;
    }
    files(run)
}

fn files(run: &Run) -> Result<(), Failure> {
    let partitions = run.files().map_err(Failure::Other)?;
    if partitions.is_empty() {
        return print("journal    no files\n");
    }
    print("journal\n")?;
    let (mut rows, mut bytes, mut damaged) = (0, 0, 0);
    for file in partitions.iter().flat_map(|(_, files)| files) {
        let name = file.path.strip_prefix(&run.directory).unwrap_or(&file.path).display();
        let said = match judge(file)? {
            Some(why) => {
                damaged += 1;
                format!("DAMAGED: {why}")
            }
            None => {
                let count = file.rows().map_err(|why| unreadable(file, &why))?;
                rows += count;
                format!("{count} answers")
            }
        };
        bytes += file.bytes;
        print(&format!("  {name}  {}  {said}\n", size(file.bytes)))?;
    }
    print(&format!("  {rows} answers, {}, {damaged} damaged files\n", size(bytes)))?;
    if damaged > 0 { Err(Failure::Told) } else { Ok(()) }
}

fn state(state: State) -> String {
    match state {
        State::Open => "open: the next write with this runId goes on with it".to_owned(),
        State::Committing(number) => {
            format!(
                "committing {number}: all rows are answered; the next write with this runId finishes the commit"
            )
        }
        State::Done => "done: every row is in the sink; a write with this runId sends nothing".to_owned(),
    }
}

fn judge(file: &JournalFile) -> Result<Option<String>, Failure> {
    file.damage().map_err(|error| unreadable(file, &error.to_string()))
}

fn unreadable(file: &JournalFile, why: &str) -> Failure {
    Failure::Other(format!("{}: {why}", file.path.display()))
}

/// A batch as JSON lines, nulls left out.
fn lines(batch: &RecordBatch) -> Result<String, String> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(batch).and_then(|()| writer.finish()).map_err(|error| error.to_string())?;
    String::from_utf8(writer.into_inner()).map_err(|error| io::Error::other(error).to_string())
}
