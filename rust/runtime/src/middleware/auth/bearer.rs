//! `bearer`: a token of the config in every request (RFC 6750).

use apisink_plan::SecretSlot;

use super::Fixed;
use crate::error::RuntimeError;
use crate::middleware::{BuildContext, Link};

pub(super) fn make(context: &BuildContext<'_, '_>, token: SecretSlot) -> Result<Link, RuntimeError> {
    Fixed::link(&format!("Bearer {}", context.secret(token)?))
}
