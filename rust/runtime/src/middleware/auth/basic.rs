//! `basic`: user and password in every request (RFC 7617).

use apisink_plan::SecretSlot;

use super::Fixed;
use crate::basic::basic_pair;
use crate::error::RuntimeError;
use crate::middleware::{BuildContext, Link};

pub(super) fn make(
    context: &BuildContext<'_, '_>,
    username: SecretSlot,
    password: SecretSlot,
) -> Result<Link, RuntimeError> {
    let pair = basic_pair(context.secret(username)?, context.secret(password)?);
    Fixed::link(&format!("Basic {pair}"))
}
