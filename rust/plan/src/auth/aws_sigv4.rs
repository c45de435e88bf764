//! `aws_sigv4`: a key of AWS, and what its signatures are good for.

use apisink_config::{AwsSigv4, Code, Text};
use serde::{Deserialize, Serialize};

use super::{AuthSpec, flat, user};
use crate::headers::unfit_for_header;
use crate::plan::SecretSlot;
use crate::state::State;

/// Headers that a signature brings, in lower case.
pub(super) const HEADERS: [&str; 4] =
    ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

/// A key of AWS, and the scope of what it signs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsSigv4Spec {
    /// The key's id; it stands in every request.
    pub access_key_id: SecretSlot,
    /// The key, which is never sent.
    pub secret_access_key: SecretSlot,
    /// What goes with a temporary key; it stands in every request.
    pub session_token: Option<SecretSlot>,
    /// The region, as in `eu-central-1`.
    pub region: String,
    /// The service, as in `execute-api`.
    pub service: String,
}

pub(super) fn compile(state: &mut State<'_>, auth: &AwsSigv4) -> Option<AuthSpec> {
    let access_key_id = user(state, &auth.access_key_id, "`auth.access_key_id`", |value| {
        let fit = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (!fit).then_some("holds something else than letters and digits")
    });
    let secret =
        state.credential(auth.secret_access_key.expose(), "`auth.secret_access_key`", unfit_for_header);
    if let Some(secret) = secret {
        state.stays_here(secret);
    }
    let session_token = auth.session_token.as_ref().map(|token| {
        let name = "`auth.session_token`";
        state.credential(token.expose(), name, unfit_for_header)
    });
    let region = scope(state, &auth.region, "`auth.region`", "eu-central-1");
    let service = scope(state, &auth.service, "`auth.service`", "execute-api");
    Some(AuthSpec::AwsSigv4(AwsSigv4Spec {
        access_key_id: access_key_id?,
        secret_access_key: secret?,
        session_token: flat(session_token)?,
        region: region?,
        service: service?,
    }))
}

/// A part of the scope: it stands between slashes in every signature.
fn scope(state: &mut State<'_>, text: &Text, name: &str, example: &str) -> Option<String> {
    let value = state.plain(text, name)?;
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !value.is_empty() && value.bytes().all(is_fit) {
        return Some(value);
    }
    let what = format!("{name} is `{value}`: it has lower-case letters, digits and hyphens only");
    state.note(text.at(), Code::InvalidValue, what, format!("write for example \"{example}\""));
    None
}
