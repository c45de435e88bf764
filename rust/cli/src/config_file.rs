//! The config that a command is about: its file, and keys set on the command line.

use std::io::Read;
use std::path::PathBuf;

use apisink_config::{Config, MAX_TEXT_BYTES, Override};
use apisink_plan::{Compiled, Inputs};
use clap::Args;

use crate::failure::Failure;
use crate::references::Lookup;
use crate::stand_ins::{self, StoodIn};

/// The config that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigFile {
    /// The config, YAML or JSON; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Set a key of the config, as in `--set execution.partitions=8`; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_override)]
    set: Vec<Override>,
}

fn parse_override(text: &str) -> Result<Override, String> {
    let (path, value) = text.split_once('=').ok_or("write KEY=VALUE, as in execution.partitions=8")?;
    Ok(Override { path: path.trim().to_owned(), value: value.to_owned() })
}

impl ConfigFile {
    /// The file as it was named.
    pub(crate) fn name(&self) -> String {
        self.file.display().to_string()
    }

    /// Reads the config; its references are not looked up.
    pub(crate) fn read(&self) -> Result<Config, Failure> {
        let text = self.text().map_err(|error| Failure::Other(format!("{}: {error}", self.name())))?;
        Ok(apisink_config::parse_with(&text, &self.name(), &self.set)?)
    }

    /// One byte more than is allowed is enough to refuse the text.
    fn text(&self) -> std::io::Result<Vec<u8>> {
        let limit = MAX_TEXT_BYTES as u64 + 1;
        let mut text = Vec::new();
        if self.file.as_os_str() == "-" {
            std::io::stdin().take(limit).read_to_end(&mut text)?;
        } else {
            std::fs::File::open(&self.file)?.take(limit).read_to_end(&mut text)?;
        }
        Ok(text)
    }
}

/// Compiles a config with stand-ins for everything that it refers to.
pub(crate) fn compile_with_stand_ins(
    config: &Config,
    columns: Option<Vec<String>>,
) -> Result<StoodIn, Failure> {
    Ok(stand_ins::compile(config, &Lookup::nothing(), inputs(columns))?)
}

/// Compiles a config with what can be looked up here, and stand-ins for the rest.
pub(crate) fn compile_with_what_is_here(
    config: &Config,
    lookup: &Lookup,
    columns: Vec<String>,
) -> Result<StoodIn, Failure> {
    Ok(stand_ins::compile(config, lookup, inputs(Some(columns)))?)
}

/// Compiles a config with the values of all its references; one without a value is a problem.
pub(crate) fn compile_resolved(
    config: &Config,
    lookup: &Lookup,
    columns: Option<Vec<String>>,
) -> Result<Compiled, Failure> {
    let references = config.references().iter().map(|reference| lookup.resolved(reference)).collect();
    Ok(apisink_plan::compile(config, &Inputs { references, ..inputs(columns) })?)
}

/// Without Spark it is not decided where rows come from.
fn inputs(columns: Option<Vec<String>>) -> Inputs {
    Inputs { columns, data_frame: None, ..Inputs::default() }
}
