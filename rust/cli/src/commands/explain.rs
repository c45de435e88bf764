//! `apisink explain`.

mod chain;
mod promises;
mod request;
mod table;

use apisink_config::Config;
use apisink_plan::Compiled;
use clap::Args;

use crate::config_file::{ConfigFile, compile_with_stand_ins};
use crate::failure::{Failure, print};
use table::Table;

/// Tell what a config does: the request and where each part of it comes from, the chain, what a run promises
///
/// Needs no secret: what the config refers to is not looked up and is shown as it is written.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    #[command(flatten)]
    config: ConfigFile,
}

impl Explain {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let config = self.config.read()?;
        let stood_in = compile_with_stand_ins(&config, None)?;
        print(&stood_in.shown(&told(&self.config.name(), &config, &stood_in.compiled)))
    }
}

fn told(name: &str, config: &Config, compiled: &Compiled) -> String {
    let mut text = format!("{name}\n\nTHE REQUEST, one for each row\n");
    text += &request::told(config, &compiled.plan).indented();
    text += "\nTHE CHAIN, in the order of execution\n";
    text += &chain::told(config, &compiled.plan);
    text += "\nA RUN\n";
    text += &promises::told(config, compiled).indented();
    let references = looked_up(config);
    if !references.is_empty() {
        text += "\nLOOKED UP ON THE DRIVER\n";
        text += &references.indented();
    }
    for warning in &compiled.driver.warnings {
        text += &format!("\nWARNING: {warning}\n");
    }
    text
}

/// Every reference once, with the lines in which it stands.
fn looked_up(config: &Config) -> Table {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for reference in config.references() {
        let shown = reference.to_string();
        let line = reference.line.to_string();
        match found.iter_mut().find(|(known, _)| *known == shown) {
            Some((_, lines)) => lines.push(line),
            None => found.push((shown, vec![line])),
        }
    }
    let mut table = Table::default();
    for (reference, lines) in found {
        table.row(reference, format!("line {}", lines.join(", ")));
    }
    table
}
