//! What references stand for on this machine: variables, files, and those secrets that are one of the two.

use std::path::{Path, PathBuf};

use apisink_config::{Reference, ReferenceKind};
use apisink_plan::{ResolvedReference, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

/// Larger than any credential, certificate or key.
const MOST_BYTES: u64 = 1024 * 1024;

/// Where secrets are looked up.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Lookup {
    /// Directory of mounted secrets: a directory for each scope, in it a file for each key
    #[arg(long, value_name = "DIR")]
    secrets_dir: Option<PathBuf>,

    /// Looks nothing up.
    #[arg(skip)]
    blind: bool,
}

impl Lookup {
    /// Finds nothing.
    pub(crate) const fn nothing() -> Self {
        Self { secrets_dir: None, blind: true }
    }

    /// The reference and its value, or why it has none.
    pub(crate) fn resolved(&self, reference: &Reference) -> ResolvedReference {
        let found = match reference.kind {
            _ if self.blind => Err("nothing is looked up".to_owned()),
            ReferenceKind::Env => {
                variable(&reference.key).ok_or_else(|| format!("there is no variable {}", reference.key))
            }
            ReferenceKind::File => file(Path::new(&reference.key)),
            ReferenceKind::BinaryFile => binary_file(Path::new(&reference.key)),
            ReferenceKind::Secret => self.secret(&reference.scope, &reference.key),
        };
        let (value, error) = match found {
            Ok(value) => (Some(Secret::new(value)), None),
            Err(why) => (None, Some(why)),
        };
        ResolvedReference {
            kind: reference.kind,
            scope: reference.scope.clone(),
            key: reference.key.clone(),
            value,
            error,
        }
    }

    /// As the driver's providers `environment` and `files` find it. Databricks and Hadoop are for Spark alone.
    fn secret(&self, scope: &str, key: &str) -> Result<String, String> {
        let name = format!("APISINK_SECRET_{}__{}", upper(scope), upper(key));
        if let Some(value) = variable(&name) {
            return Ok(value);
        }
        let absent = format!("there is no variable {name}");
        let elsewhere = "stores of Databricks and Hadoop are asked by Spark only";
        let Some(directory) = &self.secrets_dir else {
            return Err(format!("{absent}, and no --secrets-dir; {elsewhere}"));
        };
        if [scope, key].iter().any(|name| name.split('/').any(|part| ["", ".", ".."].contains(&part))) {
            return Err(format!("{scope}/{key} is no file below {}", directory.display()));
        }
        let path = directory.join(scope).join(key);
        let text =
            file(&path).map_err(|why| format!("{absent}, and {}: {why}; {elsewhere}", path.display()))?;
        // Editors and `echo` add a line break.
        let value =
            text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        Ok(value.to_owned())
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn upper(name: &str) -> String {
    name.to_uppercase()
        .chars()
        .map(|c| if c.is_ascii_uppercase() || c.is_ascii_digit() { c } else { '_' })
        .collect()
}

fn file(path: &Path) -> Result<String, String> {
    String::from_utf8(bytes(path)?).map_err(|_| "it is no text in UTF-8".to_owned())
}

fn binary_file(path: &Path) -> Result<String, String> {
    Ok(STANDARD.encode(bytes(path)?))
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.len() > MOST_BYTES {
        return Err(format!("it is larger than {MOST_BYTES} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
