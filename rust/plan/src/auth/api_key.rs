//! `api_key`: a key of the API's own.

use apisink_config::{ApiKey, Code, Config, KeyPlace as Place};
use serde::{Deserialize, Serialize};

use super::{AuthSpec, no_control};
use crate::headers;
use crate::state::State;

/// Where an API key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    /// In a header.
    Header,
    /// As a query parameter.
    Query,
}

/// `taken` are the names of the request's other query parameters.
pub(super) fn compile(state: &mut State<'_>, key: &ApiKey, taken: &[&str]) -> Option<AuthSpec> {
    let name = &key.name;
    let check: fn(&str) -> Option<&'static str>;
    let (place, compiled) = match key.place {
        Place::Header => {
            check = headers::unfit_for_header;
            (KeyPlace::Header, headers::request_header(state, name, name.at))
        }
        Place::Query => {
            if taken.contains(&name.as_str()) {
                let what =
                    format!("the query parameter `{}` is set by `auth` and by the request too", name.value);
                state.note(name.at, Code::Conflict, what, "keep one of them");
            }
            check = no_control;
            (KeyPlace::Query, Some(name.value.clone()))
        }
    };
    let value = state.credential(key.value.expose(), "`auth.value`", check);
    Some(AuthSpec::ApiKey { place, name: compiled?, value: value? })
}

pub(super) fn sets_header(key: &ApiKey, header: &str) -> bool {
    matches!(key.place, Place::Header) && key.name.eq_ignore_ascii_case(header)
}

pub(super) fn warnings(config: &Config, key: &ApiKey) -> Vec<String> {
    if config.transport.redirects.max == 0 || matches!(key.place, Place::Header) {
        return Vec::new();
    }
    let told = "auth `api_key` puts its key into the query, and a request that follows a redirect has the query that the API \
                tells: a key that it leaves out is not added";
    vec![told.to_owned()]
}
