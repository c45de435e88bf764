//! `bearer_token` and `header_auth` (common): a credential of the config in a header, which never prints.

use apisink_plan::{BearerTokenSpec, HeaderAuthSpec, HeaderCredential};
use http::header::{HeaderName, HeaderValue};

use super::auth::credential;
use super::{BuildContext, Common, Link, Part};
use crate::basic::basic_pair;
use crate::error::{RowError, RuntimeError};
use crate::request::{Request, header_name};

pub(super) fn bearer_token(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: BearerTokenSpec = context.spec()?;
    link(&spec.header, &format!("Bearer {}", context.secret(spec.token)?))
}

pub(super) fn header_auth(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: HeaderAuthSpec = context.spec()?;
    let value = match &spec.credential {
        HeaderCredential::Value { prefix, value } => format!("{prefix}{}", context.secret(*value)?),
        HeaderCredential::User { username, password } => {
            format!("Basic {}", basic_pair(context.secret(*username)?, context.secret(*password)?))
        }
    };
    link(&spec.header, &value)
}

fn link(header: &str, value: &str) -> Result<Link, RuntimeError> {
    Ok(Link::Common(Box::new(Credential { header: header_name(header)?, value: credential(value)? })))
}

struct Credential {
    header: HeaderName,
    value: HeaderValue,
}

impl Common for Credential {
    fn apply(&self, _: &Part, request: &mut Request) -> Result<(), RowError> {
        request.headers.insert(self.header.clone(), self.value.clone());
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}
