//! `auth` (interceptor): makes requests authentic, in the way that the config's section `auth` names.
//!
//! Each kind has a file of its own and a line in [`make`].

mod api_key;
mod aws_sigv4;
mod basic;
mod bearer;
mod oauth2;

use apisink_plan::AuthSpec;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::RuntimeError;
use crate::exchange::Exchange;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    match context.spec()? {
        AuthSpec::Basic { username, password } => basic::make(context, username, password),
        AuthSpec::Bearer { token } => bearer::make(context, token),
        AuthSpec::ApiKey { place, name, value } => api_key::make(context, place, &name, value),
        AuthSpec::Oauth2(_) => oauth2::make(context),
        AuthSpec::AwsSigv4(spec) => aws_sigv4::make(context, &spec),
    }
}

/// A credential as the value of a header, which never prints.
pub(super) fn credential(value: &str) -> Result<HeaderValue, RuntimeError> {
    let mut header = HeaderValue::from_str(value).map_err(|_| {
        RuntimeError::Plan("auth: the credential holds a character that an HTTP header does not allow".into())
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// The same header in every request.
struct Fixed {
    name: HeaderName,
    header: HeaderValue,
}

impl Fixed {
    /// The header Authorization.
    fn link(value: &str) -> Result<Link, RuntimeError> {
        Self::named(AUTHORIZATION, value)
    }

    fn named(name: HeaderName, value: &str) -> Result<Link, RuntimeError> {
        Ok(Link::Interceptor(Box::new(Self { name, header: credential(value)? })))
    }
}

impl Interceptor for Fixed {
    fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        exchange.request.headers.insert(self.name.clone(), self.header.clone());
        Box::pin(next.run(exchange))
    }
}
