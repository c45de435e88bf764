//! `apisink`: checks, explains and renders configs, sends a few rows and looks into journals, with the engine that runs on
//! executors and without Spark.
//!
//! Each command is a file of [`commands`]. What they share: the config's file and its overrides ([`config_file`]), what
//! its references stand for ([`references`], [`stand_ins`]), rows from NDJSON ([`rows`]), a session that sends them
//! one after the other ([`exchanges`]) and the journals of runs ([`journal`]).
#![forbid(unsafe_code)]

mod commands;
mod config_file;
mod exchanges;
mod failure;
mod journal;
mod references;
mod rows;
mod stand_ins;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{check, explain, journal as journals, render, schema, send};

/// Checks, explains and renders configs, sends a few rows and looks into journals, without Spark
#[derive(Parser)]
#[command(name = "apisink", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all is well, 1 the command could not be carried out or an exchange of `send` is no success, \
2 the config or the command line is refused.";

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Explain(explain::Explain),
    Render(render::Render),
    Send(send::Send),
    Schema(schema::Schema),
    Journal(journals::Journal),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Check(check) => check.run(),
        Command::Explain(explain) => explain.run(),
        Command::Render(render) => render.run(),
        Command::Send(send) => send.run(),
        Command::Schema(schema) => schema.run(),
        Command::Journal(journal) => journal.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
