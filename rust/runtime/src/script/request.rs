//! `request`, as a script sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString};

use crate::request::{Request, encode_into, lossy};

/// Headers that are the transport's.
const OF_THE_TRANSPORT: [HeaderName; 4] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION];

/// A request while a script has it. Scripts hand their arguments around as copies: all of them show the same request.
#[derive(Clone)]
pub(crate) struct RequestView(Arc<Mutex<Request>>);

type Outcome<T> = Result<T, Box<EvalAltResult>>;

impl RequestView {
    pub(crate) fn new(request: Request) -> Self {
        Self(Arc::new(Mutex::new(request)))
    }

    /// The request as the script has left it.
    pub(crate) fn into_request(self) -> Request {
        match Arc::try_unwrap(self.0) {
            Ok(request) => request.into_inner().unwrap_or_else(PoisonError::into_inner),
            // A closure of the script may have kept it.
            Err(shared) => shared.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn request(&self) -> MutexGuard<'_, Request> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn header(&mut self, name: &str) -> Dynamic {
        header(self.request().headers.get(name))
    }

    fn set_header(&mut self, name: &str, value: Dynamic) -> Outcome<()> {
        let value =
            value.into_string().map_err(|kind| format!("the header {name} is to be text, not {kind}"))?;
        let name = self.own_header(name)?;
        let value = HeaderValue::from_str(&value)
            .map_err(|_| format!("the value of the header {name} holds what no header may hold"))?;
        self.request().headers.insert(name, value);
        Ok(())
    }

    fn remove_header(&mut self, name: &str) -> Outcome<()> {
        let name = self.own_header(name)?;
        self.request().headers.remove(name);
        Ok(())
    }

    /// A header that a script may write.
    fn own_header(&self, name: &str) -> Outcome<HeaderName> {
        let header: HeaderName = name.parse().map_err(|_| format!("{name} is no name for a header"))?;
        if OF_THE_TRANSPORT.contains(&header) {
            return Err(format!("the header {header} is the connection's, not the request's").into());
        }
        Ok(header)
    }

    fn add_query(&mut self, name: &str, value: Dynamic) {
        let mut pair = String::new();
        encode_into(name.as_bytes(), &mut pair);
        pair.push('=');
        encode_into(value.to_string().as_bytes(), &mut pair);
        self.request().push_encoded_query(&pair);
    }

    fn set_body(&mut self, body: ImmutableString) {
        self.request().body = Bytes::from(body.into_owned().into_bytes());
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<RequestView>("request")
        .register_get("id", |view: &mut RequestView| view.request().request_id.to_string())
        .register_get("method", |view: &mut RequestView| view.request().method.to_string())
        .register_get("target", |view: &mut RequestView| view.request().target.clone())
        .register_get("body", |view: &mut RequestView| lossy(&view.request().body).into_owned())
        .register_fn("header", RequestView::header)
        .register_fn("set_header", RequestView::set_header)
        .register_fn("remove_header", RequestView::remove_header)
        .register_fn("add_query", RequestView::add_query)
        .register_fn("set_body", RequestView::set_body);
}

/// A header's value; `()` when there is none.
pub(super) fn header(value: Option<&HeaderValue>) -> Dynamic {
    value.map_or(Dynamic::UNIT, |value| lossy(value.as_bytes()).into_owned().into())
}
