//! `auth` (interceptor): injects what the config's auth section yields.

use apisink_plan::AuthSpec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderValue};

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::RuntimeError;
use crate::exchange::Exchange;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let value = match context.spec()? {
        AuthSpec::Basic { username, password } => {
            let pair = format!("{}:{}", context.secret(username)?, context.secret(password)?);
            format!("Basic {}", STANDARD.encode(pair))
        }
        AuthSpec::Bearer { token } => format!("Bearer {}", context.secret(token)?),
        AuthSpec::Oauth2(_) => return Err(RuntimeError::Plan("auth: tokens cannot be asked for".into())),
    };
    let mut header = HeaderValue::from_str(&value).map_err(|_| {
        RuntimeError::Plan("auth: the credential holds a character that an HTTP header does not allow".into())
    })?;
    header.set_sensitive(true);
    Ok(Link::Interceptor(Box::new(Auth { header })))
}

struct Auth {
    header: HeaderValue,
}

impl Interceptor for Auth {
    fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        exchange.request.headers.insert(AUTHORIZATION, self.header.clone());
        Box::pin(next.run(exchange))
    }
}
