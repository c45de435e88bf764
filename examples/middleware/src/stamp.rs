//! `stamp` (common): a header made of a column of the row and a secret. It sees the request and never an answer.

use std::hash::{DefaultHasher, Hash, Hasher};

use apisink_jni::runtime::middleware::{BuildContext, Common, Link, Part};
use apisink_jni::runtime::row::{ColumnIndex, Row};
use apisink_jni::runtime::{Request, RowError, RuntimeError};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;

/// Its `options` in the config.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    header: String,
}

struct Stamp {
    header: HeaderName,
    column: ColumnIndex,
    pepper: String,
}

/// Runs once per session, on the executor. What is wrong with the config ends the task with this error.
pub(crate) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let Options { header } = context.options()?;
    let header =
        header.parse().map_err(|_| RuntimeError::Plan(format!("stamp: {header} is no name for a header")))?;
    let stamp = Stamp { header, column: context.column("region")?, pepper: context.secret_named("pepper")? };
    Ok(Link::Common(Box::new(stamp)))
}

impl Common for Stamp {
    /// Runs once per row, while the row is there. What the header needs of it is copied.
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut region = Vec::new();
        row.write_text(self.column, &mut region)?;
        if region.is_empty() {
            return Err(RowError::new("no_region", "a row without a region cannot be stamped"));
        }
        Ok(Part::Bytes(region.into()))
    }

    /// Runs in the middleware's place: after `retry` once per attempt.
    fn apply(&self, part: &Part, request: &mut Request) -> Result<(), RowError> {
        let Part::Bytes(region) = part else { return Ok(()) };
        let mut hash = DefaultHasher::new();
        (&self.pepper, region).hash(&mut hash);
        let value = format!("{}-{:016x}", String::from_utf8_lossy(region), hash.finish());
        let value = HeaderValue::from_str(&value)
            .map_err(|_| RowError::new("region", "the region holds what no header may hold"))?;
        request.headers.insert(self.header.clone(), value);
        Ok(())
    }

    /// A second time it leaves the same request behind: `retry` need not keep a copy of the request.
    fn is_repeatable(&self) -> bool {
        true
    }
}
