//! What the steps of a compilation share: problems so far, secret slots, columns in use.

use std::collections::BTreeSet;

use apisink_config::{
    Code, Config, Located, Position, Problem, Reference, ReferenceKind, Segment, Text, names_a_credential,
    nearest,
};

use crate::inputs::Inputs;
use crate::plan::{ColumnRef, SecretSlot};
use crate::secrets::{Secret, SecretValues};

pub(crate) struct State<'a> {
    pub(crate) config: &'a Config,
    pub(crate) inputs: &'a Inputs,
    pub(crate) problems: Vec<Problem>,
    pub(crate) secrets: SecretValues,
    /// Slots of references that were met, so that each value travels once.
    slots: Vec<(Reference, SecretSlot)>,
    /// Slots that hold a credential, and not only a setting of the environment.
    credentials: BTreeSet<SecretSlot>,
    /// Columns in use, in the order of use.
    columns: Vec<String>,
}

impl<'a> State<'a> {
    pub(crate) fn new(config: &'a Config, inputs: &'a Inputs) -> Self {
        Self {
            config,
            inputs,
            problems: Vec::new(),
            secrets: SecretValues::default(),
            slots: Vec::new(),
            credentials: BTreeSet::new(),
            columns: Vec::new(),
        }
    }

    pub(crate) fn note(
        &mut self,
        at: Position,
        code: Code,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems.push(self.config.document.problem(at, code, what, hint));
    }

    /// The value of a reference; notes why there is none.
    pub(crate) fn resolve(&mut self, reference: &Reference, at: Position) -> Option<&'a Secret> {
        let found = self.inputs.references.iter().find(|resolved| {
            resolved.kind == reference.kind
                && resolved.scope == reference.scope
                && resolved.key == reference.key
        });
        let (what, hint) = match found {
            Some(resolved) => match (&resolved.value, &resolved.error) {
                (Some(value), _) => return Some(value),
                (None, Some(error)) => (format!("{reference} has no value: {error}"), ""),
                (None, None) => (format!("{reference} has no value"), ""),
            },
            None => (format!("{reference} has no value: nobody looked it up"), ""),
        };
        let hint = match (hint, reference.kind) {
            ("", ReferenceKind::Env) => {
                format!("set the environment variable {} on the driver", reference.key)
            }
            ("", ReferenceKind::File | ReferenceKind::BinaryFile) => {
                "files are read on the driver: check the path there".to_owned()
            }
            _ => "check scope and key, and that a provider for this scope is there".to_owned(),
        };
        self.note(at, Code::Reference, what, hint);
        None
    }

    /// The slot of a reference to a secret store, or to the environment.
    pub(crate) fn slot(&mut self, reference: &Reference, at: Position) -> Option<SecretSlot> {
        let same = |known: &Reference| {
            (known.kind, &known.scope, &known.key) == (reference.kind, &reference.scope, &reference.key)
        };
        if let Some((_, slot)) = self.slots.iter().find(|(known, _)| same(known)) {
            return Some(*slot);
        }
        let value = self.resolve(reference, at)?.clone();
        let slot = self.secrets.push(value);
        self.slots.push((reference.clone(), slot));
        if reference.kind == ReferenceKind::Secret {
            self.credentials.insert(slot);
        }
        Some(slot)
    }

    /// The slot of a credential, whatever it is made of. Empty ones are refused; `check` says what else is wrong.
    pub(crate) fn credential(
        &mut self,
        text: &Text,
        name: &str,
        check: impl FnOnce(&str) -> Option<&'static str>,
    ) -> Option<SecretSlot> {
        let at = text.at();
        let value = self.joined(text)?;
        let wrong = if value.is_empty() { Some("is empty") } else { check(&value) };
        if let Some(wrong) = wrong {
            let hint = match text.references().first() {
                Some(reference) => format!("correct the value of {reference}"),
                None => "correct it, or write a reference such as \"{{env.NAME}}\"".to_owned(),
            };
            self.note(at, Code::InvalidValue, format!("the value of {name} {wrong}"), hint);
            return None;
        }
        let slot = match text.segments() {
            [Segment::Reference(reference)] => self.slot(reference, at)?,
            _ => self.secrets.push(Secret::new(value)),
        };
        self.credentials.insert(slot);
        Some(slot)
    }

    /// The slots of credentials that something is given by name; `of` says what, for messages.
    pub(crate) fn named_credentials(
        &mut self,
        named: &[(Located<String>, Text)],
        of: &str,
    ) -> Option<Vec<(String, SecretSlot)>> {
        let slot = |(name, value): &(Located<String>, Text)| {
            let what = format!("the secret `{}` of {of}", name.value);
            Some((name.value.clone(), self.credential(value, &what, |_| None)?))
        };
        named.iter().map(slot).collect()
    }

    /// A literal that is a credential by the name of its header or parameter.
    pub(crate) fn literal_secret(&mut self, name: &str, literal: &str) -> Option<SecretSlot> {
        if !names_a_credential(name) {
            return None;
        }
        let slot = self.secrets.push(Secret::new(literal));
        self.credentials.insert(slot);
        Some(slot)
    }

    /// The slot of a reference in a header or parameter, whose name may say that it is a credential.
    pub(crate) fn named_slot(
        &mut self,
        name: &str,
        reference: &Reference,
        at: Position,
    ) -> Option<SecretSlot> {
        let slot = self.slot(reference, at)?;
        if names_a_credential(name) {
            self.credentials.insert(slot);
        }
        Some(slot)
    }

    /// A user's name goes with a credential and is none itself, unless a secret store holds it.
    pub(crate) fn identifies(&mut self, text: &Text, slot: SecretSlot) {
        if text.references().iter().all(|reference| reference.kind != ReferenceKind::Secret) {
            self.credentials.remove(&slot);
        }
    }

    /// A secret that is never sent: no answer can echo it.
    pub(crate) fn stays_here(&mut self, slot: SecretSlot) {
        self.credentials.remove(&slot);
    }

    /// Slots that hold a credential. A variable of the environment does when it stands where one is expected.
    pub(crate) fn masked(&self) -> Vec<SecretSlot> {
        self.credentials.iter().copied().collect()
    }

    fn joined(&mut self, text: &Text) -> Option<String> {
        let mut joined = Some(String::new());
        for segment in text.segments() {
            let piece = match segment {
                Segment::Literal(literal) => Some(literal.as_str()),
                Segment::Reference(reference) => self.resolve(reference, text.at()).map(Secret::expose),
            };
            joined = joined.zip(piece).map(|(joined, piece)| joined + piece);
        }
        joined
    }

    /// A string that is no secret: references to the environment are replaced, those to secret stores refused.
    pub(crate) fn plain(&mut self, text: &Text, name: &str) -> Option<String> {
        let secret = text.references().into_iter().find(|reference| reference.kind == ReferenceKind::Secret);
        if let Some(reference) = secret {
            self.note(
                text.at(),
                Code::Reference,
                format!("{name} may not hold {reference}: it is shown in logs and plans"),
                "write it out or use {{env.NAME}}; secrets belong under `auth`, `headers`, `query` or `url_path`",
            );
            return None;
        }
        self.joined(text)
    }

    /// A column that requests use.
    pub(crate) fn column(&mut self, dotted: &str, required: bool, at: Position) -> ColumnRef {
        let path: Vec<String> = dotted.split('.').map(str::to_owned).collect();
        self.use_column(&path[0], at);
        ColumnRef { path, required, default: None }
    }

    /// A top-level column, whatever dots its name has, that the chain reads as a whole.
    pub(crate) fn whole_column(&mut self, name: &str, at: Position) -> ColumnRef {
        self.use_column(name, at);
        ColumnRef { path: vec![name.to_owned()], required: false, default: None }
    }

    /// A top-level column that is read.
    pub(crate) fn use_column(&mut self, name: &str, at: Position) {
        if !self.columns.iter().any(|known| known == name) {
            self.columns.push(name.to_owned());
        }
        self.expect_column(name, at);
    }

    /// Notes a column that the source does not have.
    pub(crate) fn expect_column(&mut self, name: &str, at: Position) {
        let Some(columns) = &self.inputs.columns else { return };
        if columns.iter().any(|column| column == name) {
            return;
        }
        let hint = match nearest(name, columns.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if columns.is_empty() => "the source has no columns".to_owned(),
            None => {
                const SHOWN: usize = 20;
                let shown: Vec<String> =
                    columns.iter().take(SHOWN).map(|column| format!("`{column}`")).collect();
                let more = if columns.len() > SHOWN { ", …" } else { "" };
                format!("the source has {}{more}", shown.join(", "))
            }
        };
        self.note(at, Code::MissingColumn, format!("the source has no column `{name}`"), hint);
    }

    /// The columns in use, each once, the id column first; none when no column is in use.
    pub(crate) fn into_columns(self, id_column: Option<&str>) -> Option<Vec<String>> {
        let mut columns: Vec<String> = id_column.map(str::to_owned).into_iter().collect();
        columns.extend(self.columns.into_iter().filter(|column| Some(column.as_str()) != id_column));
        (!columns.is_empty()).then_some(columns)
    }
}
