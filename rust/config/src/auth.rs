//! `auth`: how requests are authenticated.

use crate::problem::{Code, Located};
use crate::reader::Section;
use crate::text::{SecretText, Text};

const TYPES: [&str; 3] = ["none", "basic", "bearer"];

/// The section `auth`. What is written out here is as secret as what is referred to.
#[derive(Clone, Debug, PartialEq)]
pub enum Auth {
    /// No authentication.
    None,
    /// User and password in every request (RFC 7617).
    Basic {
        /// The user; may not hold a colon.
        username: SecretText,
        /// The password.
        password: SecretText,
    },
    /// A token in every request (RFC 6750).
    Bearer {
        /// The token.
        token: SecretText,
    },
}

impl Auth {
    /// The type as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => TYPES[0],
            Self::Basic { .. } => TYPES[1],
            Self::Bearer { .. } => TYPES[2],
        }
    }

    pub(crate) fn texts(&self) -> Vec<&Text> {
        match self {
            Self::None => vec![],
            Self::Basic { username, password } => vec![username.expose(), password.expose()],
            Self::Bearer { token } => vec![token.expose()],
        }
    }

    pub(crate) fn read(section: &mut Section<'_>) -> Option<Located<Self>> {
        let at = section.at();
        let kind = if section.is_empty() {
            Located::new("none".to_owned(), at)
        } else {
            section.required_word("type", "bearer")?
        };
        let auth = match kind.as_str() {
            "none" => Some(Self::None),
            "basic" => {
                let username = credential(section, "username");
                if let Some(username) = &username
                    && username.expose().segments().iter().any(holds_colon)
                {
                    section.note(
                        username.at(),
                        Code::InvalidValue,
                        "`auth.username` holds a colon, which separates user and password in basic authentication",
                        "write the user without the colon",
                    );
                }
                let password = credential(section, "password");
                username.zip(password).map(|(username, password)| Self::Basic { username, password })
            }
            "bearer" => credential(section, "token").map(|token| Self::Bearer { token }),
            _ => {
                // The keys of a type that is not known can't be judged.
                section.unknown_choice("type", &kind, TYPES.into_iter());
                return None;
            }
        };
        section.finish();
        auth.map(|auth| Located::new(auth, at))
    }
}

fn holds_colon(segment: &crate::text::Segment) -> bool {
    matches!(segment, crate::text::Segment::Literal(text) if text.contains(':'))
}

fn credential(section: &mut Section<'_>, key: &'static str) -> Option<SecretText> {
    let text = section.required_text(key, "\"{{env.NAME}}\"")?;
    if text.is_empty() {
        let what = format!("{} is empty", section.name(key));
        section.note(
            text.at(),
            Code::InvalidValue,
            what,
            format!("write for example `{key}: \"{{{{env.NAME}}}}\"`"),
        );
        return None;
    }
    Some(SecretText::new(text))
}
