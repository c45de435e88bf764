//! `basic`: user and password.

use apisink_config::Basic;

use super::{AuthSpec, no_control, user};
use crate::state::State;

pub(super) fn compile(state: &mut State<'_>, Basic { username, password }: &Basic) -> Option<AuthSpec> {
    let username = user(state, username, "`auth.username`", |value| {
        let colon = "holds a colon, which separates user and password in basic authentication";
        if value.contains(':') { Some(colon) } else { no_control(value) }
    });
    let password = state.credential(password.expose(), "`auth.password`", no_control);
    Some(AuthSpec::Basic { username: username?, password: password? })
}
