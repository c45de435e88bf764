//! `oauth2_password` and `oauth2_client_credentials`: the token that all tasks of the process share.

use std::sync::{Arc, Mutex, PoisonError};

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};

use super::Fixed;
use crate::error::{RowError, RuntimeError};
use crate::exchange::Exchange;
use crate::middleware::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::request::{LateHeaders, Request};
use crate::token::{Token, Tokens};

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

impl Oauth2 {
    /// Runs the rest of the chain once with a token, or with the one that has taken its place when the request is written.
    ///
    /// Returns the token that was shown last.
    async fn run(&self, exchange: &mut Exchange, token: Arc<Token>, next: Next<'_>) -> Arc<Token> {
        exchange.request.headers.insert(AUTHORIZATION, token.header());
        let shown = Arc::new(Shown { tokens: self.tokens.clone(), last: Mutex::new(token) });
        exchange.request.late = Some(shown.clone());
        next.run(exchange).await;
        shown.last()
    }
}

/// The token of one request.
struct Shown {
    tokens: Arc<Tokens>,
    last: Mutex<Arc<Token>>,
}

impl Shown {
    fn last(&self) -> Arc<Token> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl LateHeaders for Shown {
    fn put(&self, _: &Request, headers: &mut HeaderMap) -> Result<(), RowError> {
        // Without a good one the old one goes: if it is refused, the repeat waits for a new one.
        if let Some(token) = self.tokens.present() {
            headers.insert(AUTHORIZATION, token.header());
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = token;
        }
        Ok(())
    }
}

impl Interceptor for Oauth2 {
    fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let token = match self.tokens.get().await {
                Ok(token) => token,
                Err(error) => return exchange.stop(error),
            };
            let request = exchange.request.clone();
            let token = self.run(exchange, token, next).await;
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
            let token = self.run(exchange, token, next).await;
            if matches!(&exchange.result, Some(Ok(answer)) if answer.status != StatusCode::UNAUTHORIZED) {
                token.was_accepted();
            }
        })
    }
}
