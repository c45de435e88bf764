//! `apisink check`.

use apisink_config::Problems;
use apisink_runtime::transport::{EngineContext, Engines};
use clap::Args;
use serde::Serialize;

use crate::config_file::{ConfigFile, compile_resolved, compile_with_stand_ins};
use crate::failure::{Failure, print};
use crate::references::Lookup;

/// Say whether a config is accepted, and print all that is wrong with it
///
/// Needs no secret: what the config refers to is not looked up, unless --resolve is given.
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    config: ConfigFile,

    /// Look up variables, files and secrets too; one that is missing is a problem
    #[arg(long)]
    resolve: bool,

    #[command(flatten)]
    lookup: Lookup,

    /// Print the problems as a JSON list to standard output
    #[arg(long)]
    json: bool,
}

/// A problem as `--json` prints it.
#[derive(Serialize)]
struct Listed<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    code: &'static str,
    what: &'a str,
    hint: &'a str,
    text: &'a str,
}

impl Check {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self.judge() {
            Ok(_) if self.json => print("[]\n"),
            Ok(said) => print(&format!("{}: {said}\n", self.config.name())),
            Err(Failure::Refused(problems)) if self.json => {
                print(&listed(&problems)?)?;
                Err(Failure::ToldRefused)
            }
            Err(failure) => Err(failure),
        }
    }

    fn judge(&self) -> Result<String, Failure> {
        let config = self.config.read()?;
        let (compiled, said) = if self.resolve {
            let compiled = compile_resolved(&config, &self.lookup, None)?;
            // What an executor would refuse, such as a certificate that cannot be read.
            Engines::default()
                .make(&EngineContext::new(&compiled.plan.transport, &compiled.secrets))
                .map_err(|error| Failure::Other(format!("{}: {error}", self.config.name())))?;
            (compiled, "accepted")
        } else if !config.references().is_empty() {
            (
                compile_with_stand_ins(&config, None)?.compiled,
                "accepted; what it refers to was not looked up (--resolve does)",
            )
        } else {
            (compile_with_stand_ins(&config, None)?.compiled, "accepted")
        };
        let warnings: String =
            compiled.driver.warnings.iter().map(|warning| format!("\n  warning: {warning}")).collect();
        Ok(format!("{said}{warnings}"))
    }
}

fn listed(problems: &Problems) -> Result<String, Failure> {
    let all: Vec<Listed<'_>> = problems
        .as_slice()
        .iter()
        .map(|problem| Listed {
            file: &problem.file,
            line: problem.at.line,
            column: problem.at.column,
            code: problem.code.as_str(),
            what: &problem.what,
            hint: &problem.hint,
            text: &problem.snippet,
        })
        .collect();
    let json = serde_json::to_string_pretty(&all).map_err(|error| Failure::Other(error.to_string()))?;
    Ok(json + "\n")
}
