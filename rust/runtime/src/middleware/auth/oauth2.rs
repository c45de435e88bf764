//! `oauth2_password` and `oauth2_client_credentials`: the token that all tasks of the process share.

use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;

use super::Fixed;
use crate::error::RuntimeError;
use crate::exchange::Exchange;
use crate::middleware::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::token::Tokens;

pub(super) fn make(context: &BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    match context.tokens {
        Some(tokens) => Ok(Link::Interceptor(Box::new(Oauth2 { tokens: tokens.clone() }))),
        // Nothing is sent, so that no token is asked for either.
        None => Fixed::link("Bearer token"),
    }
}

struct Oauth2 {
    tokens: Arc<Tokens>,
}

impl Interceptor for Oauth2 {
    fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let token = match self.tokens.get().await {
                Ok(token) => token,
                Err(error) => return exchange.stop(error),
            };
            let request = exchange.request.clone();
            exchange.request.headers.insert(AUTHORIZATION, token.header());
            next.run(exchange).await;
            let Some(Ok(response)) = &exchange.result else { return };
            if response.status != StatusCode::UNAUTHORIZED {
                return token.was_accepted();
            }
            // It may have been revoked, or have expired on the way. A refused request has done no work, so that
            // sending it again is safe whatever its method.
            let token = match self.tokens.instead_of(&token).await {
                Ok(Some(token)) => token,
                Ok(None) => return,
                Err(error) => return exchange.stop(error),
            };
            exchange.request = request;
            exchange.forget_answer();
            exchange.request.headers.insert(AUTHORIZATION, token.header());
            next.run(exchange).await;
            if matches!(&exchange.result, Some(Ok(answer)) if answer.status != StatusCode::UNAUTHORIZED) {
                token.was_accepted();
            }
        })
    }
}
