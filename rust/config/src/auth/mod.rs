//! `auth`: how requests are authenticated.

mod api_key;
mod aws_sigv4;
mod oauth2;

pub use api_key::{ApiKey, KeyPlace};
pub use aws_sigv4::AwsSigv4;
pub use oauth2::{ClientAuth, Oauth2Client, Oauth2Password};

use crate::keys::{credential, keys, tagged};
use crate::problem::Code;
use crate::reader::Section;
use crate::text::{SecretText, Segment};

tagged! {
    /// How requests are authenticated. What is written out here is as secret as what is referred to.
    pub enum Auth, for example "bearer" {
        /// No authentication.
        None = "none",
        /// User and password in every request (RFC 7617).
        Basic(Basic) = "basic",
        /// A token in every request (RFC 6750).
        Bearer(Bearer) = "bearer",
        /// A key in a header or query parameter of every request.
        ApiKey(ApiKey) = "api_key",
        /// Tokens for a user and password (OAuth 2.0, RFC 6749, section 4.3).
        Oauth2Password(Oauth2Password) = "oauth2_password",
        /// Tokens for a client (OAuth 2.0, RFC 6749, section 4.4).
        Oauth2ClientCredentials(Oauth2Client) = "oauth2_client_credentials",
        /// Every request signed with a key of AWS (Signature Version 4).
        AwsSigv4(AwsSigv4) = "aws_sigv4",
    }
    empty "none";
}

keys! {
    /// User and password in every request (RFC 7617).
    pub struct Basic {
        /// The user; may not hold a colon.
        username: SecretText = credential().required(),
        /// The password.
        password: SecretText = credential().required(),
    }
    check |section| no_colon(section, username.as_ref());
}

keys! {
    /// A token in every request (RFC 6750).
    pub struct Bearer {
        /// The token.
        token: SecretText = credential().required(),
    }
}

fn no_colon(section: &Section<'_>, username: Option<&SecretText>) {
    let Some(username) = username else { return };
    let colon = |segment: &Segment| matches!(segment, Segment::Literal(text) if text.contains(':'));
    if username.expose().segments().iter().any(colon) {
        section.note(
            username.at(),
            Code::InvalidValue,
            "`auth.username` holds a colon, which separates user and password in basic authentication",
            "write the user without the colon",
        );
    }
}
