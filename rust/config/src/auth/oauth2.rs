//! `auth` of the OAuth 2.0 types: where tokens come from.

use crate::keys::{Choice, choice, credential, keys, text, texts};
use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::{SecretText, Text};

keys! {
    /// Tokens for a user and password (OAuth 2.0, RFC 6749, section 4.3).
    pub struct Oauth2Password {
        /// Where tokens are asked for; https, or http to this machine.
        token_url: Text = text("\"https://auth.example.com/token\"").required(),
        /// The client.
        client_id: SecretText = credential().required(),
        /// The client's secret.
        client_secret: Option<SecretText> = credential().optional("a public client, which has none"),
        /// The user.
        username: SecretText = credential().required(),
        /// The user's password.
        password: SecretText = credential().required(),
        /// What the token is to allow: scopes, separated by spaces.
        scope: Option<Text> = text("\"patients.read patients.write\"").optional("what the server gives"),
        /// Whom the token is for.
        audience: Option<Text> = text("\"https://api.example.com\"").optional("what the server gives"),
        /// How the client shows its secret.
        client_auth: ClientAuth = choice(CLIENT_AUTH).or(ClientAuth::Basic),
        /// Further parameters of the token request.
        token_params: Vec<(Located<String>, Text)> = texts("{resource: \"patients\"}").or(Vec::new()),
    }
    check |section| shown_client(section);
}

keys! {
    /// Tokens for a client (OAuth 2.0, RFC 6749, section 4.4).
    pub struct Oauth2Client {
        /// Where tokens are asked for; https, or http to this machine.
        token_url: Text = text("\"https://auth.example.com/token\"").required(),
        /// The client.
        client_id: SecretText = credential().required(),
        /// The client's secret.
        client_secret: SecretText = credential().required(),
        /// What the token is to allow: scopes, separated by spaces.
        scope: Option<Text> = text("\"patients.read patients.write\"").optional("what the server gives"),
        /// Whom the token is for.
        audience: Option<Text> = text("\"https://api.example.com\"").optional("what the server gives"),
        /// How the client shows its secret.
        client_auth: ClientAuth = choice(CLIENT_AUTH).or(ClientAuth::Basic),
        /// Further parameters of the token request.
        token_params: Vec<(Located<String>, Text)> = texts("{resource: \"patients\"}").or(Vec::new()),
    }
}

/// A public client has nothing to show.
fn shown_client(section: &Section<'_>) {
    if section.has("client_auth") && !section.has("client_secret") {
        section.note(
            section.at(),
            Code::Unused,
            format!("{} has no effect: there is no `client_secret` to show", section.name("client_auth")),
            "write `client_secret` as well, or remove `client_auth`",
        );
    }
}

const CLIENT_AUTH: &[Choice<ClientAuth>] = &[
    ("basic", ClientAuth::Basic, "in the header Authorization (client_secret_basic)"),
    ("body", ClientAuth::Body, "in the body of the token request (client_secret_post)"),
];

/// How a client shows its secret (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// As user and password in the header Authorization.
    Basic,
    /// As parameters of the body.
    Body,
}
