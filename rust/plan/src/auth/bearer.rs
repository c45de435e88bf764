//! `bearer`: a token of the config.

use apisink_config::Bearer;

use super::AuthSpec;
use crate::headers::unfit_for_header;
use crate::state::State;

pub(super) fn compile(state: &mut State<'_>, Bearer { token }: &Bearer) -> Option<AuthSpec> {
    let token = state.credential(token.expose(), "`auth.token`", unfit_for_header)?;
    Some(AuthSpec::Bearer { token })
}
