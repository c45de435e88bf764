//! Why a command ends without success.

use std::io::{self, Write};
use std::process::ExitCode;

use apisink_config::Problems;
use apisink_runtime::RuntimeError;

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The config is refused.
    Refused(Problems),
    /// The command could not be carried out, and why.
    Other(String),
    /// What is wrong has been printed already.
    Told,
    /// The config is refused, and that has been printed already.
    ToldRefused,
}

impl Failure {
    /// Prints it to standard error, and gives the exit code that stands for it.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Refused(problems) => eprintln!("{}\n{problems}", problems.headline()),
            Self::Other(why) => eprintln!("apisink: {why}"),
            Self::Told | Self::ToldRefused => {}
        }
        match self {
            Self::Refused(_) | Self::ToldRefused => ExitCode::from(2),
            Self::Other(_) | Self::Told => ExitCode::from(1),
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Refused(problems)
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        Self::Other(error.to_string())
    }
}

/// Prints to standard output. A reader that has left, such as `head`, is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Other(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
