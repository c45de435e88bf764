//! `apisink journal`.

mod gc;
mod ls;
mod show;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Look at the journals of runs, and remove those that are of no use any more
///
/// A journal is the directory that `execution.journal_path` names, or `_apisink` below the sink's path. It must be mounted
/// here; where it is not, `spark.read.format("apisink").option("journal", …)` reads a run's answers.
#[derive(Args, Debug)]
pub(crate) struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ls(ls::Ls),
    Show(show::Show),
    Gc(gc::Gc),
}

impl Journal {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Ls(ls) => ls.run(),
            Command::Show(show) => show.run(),
            Command::Gc(gc) => gc.run(),
        }
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_written_for_people() {
        assert_eq!(super::size(1023), "1023 B");
        assert_eq!(super::size(1536), "1.5 KiB");
        assert_eq!(super::size(3 << 30), "3.0 GiB");
    }
}
