//! What a middleware of one's own is given when it is made: the `options`, `columns` and `secrets` of its place in the chain.

use apisink_plan::CustomSpec;
use serde::de::DeserializeOwned;

use super::BuildContext;
use crate::error::RuntimeError;
use crate::row::ColumnIndex;

impl BuildContext<'_, '_> {
    /// Its `options`, as a type of its own.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, RuntimeError> {
        let CustomSpec { options, .. } = self.spec()?;
        let name = self.name();
        serde_json::from_value(options)
            .map_err(|error| RuntimeError::Plan(format!("the options of the middleware {name}: {error}")))
    }

    /// One of its `columns`, bound to its place in the rows of the session.
    pub fn column(&mut self, name: &str) -> Result<ColumnIndex, RuntimeError> {
        let CustomSpec { columns, .. } = self.spec()?;
        match columns.iter().find(|(known, _)| known == name) {
            Some((_, column)) => self.binder.column(column),
            None => Err(self.missing("column", name, columns.iter().map(|(name, _)| name.as_str()))),
        }
    }

    /// The value of one of its `secrets`.
    pub fn secret_named(&self, name: &str) -> Result<String, RuntimeError> {
        let CustomSpec { secrets, .. } = self.spec()?;
        match secrets.iter().find(|(known, _)| known == name) {
            Some((_, slot)) => Ok(self.secret(*slot)?.to_owned()),
            None => Err(self.missing("secret", name, secrets.iter().map(|(name, _)| name.as_str()))),
        }
    }

    fn missing<'n>(&self, what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> RuntimeError {
        let known: Vec<&str> = known.collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let middleware = self.name();
        RuntimeError::Plan(format!(
            "the middleware {middleware} wants the {what} {name}; the config gives it {known}"
        ))
    }
}
