//! Values that stand in for references which nobody looks up, so that a config can be compiled without a secret.

use apisink_config::{Config, Position, Problems, Reference, ReferenceKind};
use apisink_plan::{Compiled, Inputs, ResolvedReference, Secret, compile as compile_plan};

use crate::references::Lookup;

/// A compiled config, and which of its values are stand-ins.
pub(crate) struct StoodIn {
    pub(crate) compiled: Compiled,
    shown: Vec<(String, String)>,
}

impl StoodIn {
    /// A text in which each stand-in is replaced by the reference that it stands for.
    pub(crate) fn shown(&self, text: &str) -> String {
        replace(text, &self.shown)
    }
}

/// Compiles a config. References that are not found get a stand-in of the first form that fits where they stand.
///
/// # Errors
///
/// The problems of the config, in which stand-ins are shown as the references that they stand for.
pub(crate) fn compile(config: &Config, lookup: &Lookup, inputs: Inputs) -> Result<StoodIn, Problems> {
    let mut all: Vec<StandIn> = Vec::new();
    let mut references = Vec::new();
    for reference in config.references() {
        // A template is no secret, and nothing can stand in for it.
        let part = config.is_part(&reference);
        let found = if part { Lookup::default().resolved(&reference) } else { lookup.resolved(&reference) };
        if part || found.value.is_some() {
            references.push(found);
        } else if !all.iter().any(|one| one.stands_for(&reference)) {
            all.push(StandIn { number: all.len(), reference, form: 0 });
        }
    }
    let places = config.references();
    loop {
        let stand_ins = all.iter().map(StandIn::resolved);
        let references = references.iter().cloned().chain(stand_ins).collect();
        let shown = all.iter().flat_map(StandIn::shown).collect();
        match compile_plan(config, &Inputs { references, ..inputs.clone() }) {
            Ok(compiled) => return Ok(StoodIn { compiled, shown }),
            Err(problems) => {
                if !try_others(&mut all, &places, &problems) {
                    return Err(problems.map_texts(|text| replace(text, &shown)));
                }
            }
        }
    }
}

/// Gives another form to the stand-ins that stand where something was refused; false when there is no other to try.
fn try_others(all: &mut [StandIn], places: &[Reference], problems: &Problems) -> bool {
    let refused = |place: &Reference| {
        let at = Position { line: place.line, column: place.column };
        problems.as_slice().iter().any(|problem| problem.at == at)
    };
    let mut others = false;
    for stand_in in all.iter_mut().filter(|one| one.form + 1 < FORMS) {
        if places.iter().any(|place| stand_in.stands_for(place) && refused(place)) {
            stand_in.form += 1;
            others = true;
        }
    }
    others
}

/// A word, a URL, or a port.
const FORMS: usize = 3;

struct StandIn {
    number: usize,
    reference: Reference,
    form: usize,
}

impl StandIn {
    fn stands_for(&self, other: &Reference) -> bool {
        let Reference { kind, scope, key, .. } = &self.reference;
        (kind, scope, key) == (&other.kind, &other.scope, &other.key)
    }

    fn value(&self) -> String {
        match self.form {
            0 => format!("stand-in-{}", self.number),
            1 => format!("https://stand-in-{}.invalid", self.number),
            _ => format!("{}", 65_000 - self.number.min(60_000)),
        }
    }

    fn resolved(&self) -> ResolvedReference {
        let Reference { kind, scope, key, .. } = self.reference.clone();
        ResolvedReference { kind, scope, key, value: Some(Secret::new(self.value())), error: None }
    }

    /// What it looks like in a plan, and what to show for it.
    fn shown(&self) -> Vec<(String, String)> {
        let reference = self.reference.to_string();
        match (self.reference.kind, self.form) {
            // A file's content is shown nowhere.
            (ReferenceKind::File | ReferenceKind::BinaryFile, _) => Vec::new(),
            (_, 2) => vec![(format!(":{}", self.value()), format!(":{reference}"))],
            _ => vec![(self.value(), reference)],
        }
    }
}

/// Longer stand-ins first: `stand-in-1` begins `stand-in-12`.
fn replace(text: &str, shown: &[(String, String)]) -> String {
    shown.iter().rev().fold(text.to_owned(), |text, (value, reference)| text.replace(value, reference))
}
