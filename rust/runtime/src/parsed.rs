//! What `json_response` made of an answer.

use crate::exchange::Outcome;

/// What was read of an answer's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// Whether the body goes to the sink's column `json` as well.
    pub json_column: bool,
    /// The columns picked from it, in the sink's order; empty when none could be.
    pub fields: Vec<Option<FieldValue>>,
    /// What the body says of the answer; none when its status stands.
    pub verdict: Option<BodyVerdict>,
}

/// Why an answer is no success although its status says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyVerdict {
    /// The outcome in place of the status's.
    pub outcome: Outcome,
    /// The stable word of the sink's `error.kind`.
    pub kind: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

/// A part of a body as a column's value.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// `string`.
    Text(String),
    /// `long`.
    Long(i64),
    /// `double`.
    Double(f64),
    /// `boolean`.
    Boolean(bool),
}

impl Parsed {
    /// Keeps what a middleware that stands closer to the transport has found in the answer before.
    pub(crate) fn after(mut self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        let own = self.fields.len();
        self.fields.extend(earlier.fields.into_iter().skip(own));
        self.verdict = self.verdict.or(earlier.verdict);
        self
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.fields.iter().map(|field| match field {
            Some(FieldValue::Text(text)) => text.len(),
            _ => 0,
        });
        let message = self.verdict.as_ref().map_or(0, |verdict| verdict.message.len());
        size_of::<Option<FieldValue>>() * self.fields.len() + texts.sum::<usize>() + message
    }
}
