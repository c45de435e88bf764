//! `basic`: user and password in every request (RFC 7617).

use apisink_plan::SecretSlot;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Fixed;
use crate::error::RuntimeError;
use crate::middleware::{BuildContext, Link};

pub(super) fn make(
    context: &BuildContext<'_, '_>,
    username: SecretSlot,
    password: SecretSlot,
) -> Result<Link, RuntimeError> {
    let pair = format!("{}:{}", context.secret(username)?, context.secret(password)?);
    Fixed::link(&format!("Basic {}", STANDARD.encode(pair)))
}
