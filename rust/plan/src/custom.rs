//! `custom`: what a middleware of one's own is given.

use apisink_config::{Code, Custom, nearest};

use crate::plan::CustomSpec;
use crate::state::State;

/// The specification of a `custom` middleware; none when it has faults, which are noted.
pub(crate) fn compile(state: &mut State<'_>, custom: &Custom) -> Option<CustomSpec> {
    check_name(state, custom);
    let columns = custom
        .columns
        .iter()
        .map(|column| (column.value.clone(), state.column(column, false, column.at)))
        .collect();
    let secrets =
        state.named_credentials(&custom.secrets, &format!("the middleware `{}`", custom.name.value));
    Some(CustomSpec { options: custom.options.clone(), columns, secrets: secrets? })
}

/// Refuses a name that the native library does not know. Without a library, as on the command line, it stays open.
fn check_name(state: &mut State<'_>, custom: &Custom) {
    let Some(known) = &state.inputs.middleware else { return };
    let name = &custom.name;
    if known.contains(&name.value) {
        return;
    }
    let what = format!("the native library has no middleware `{}` of its own", name.value);
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => {
            "it has none at all: let spark.apisink.native.library name the library that registers it"
                .to_owned()
        }
        None => format!("it has `{}`", known.join("`, `")),
    };
    state.note(name.at, Code::InvalidValue, what, hint);
}
