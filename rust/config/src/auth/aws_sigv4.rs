//! `auth` of type `aws_sigv4`: requests signed for AWS.

use crate::keys::{credential, keys, text};
use crate::text::{SecretText, Text};

keys! {
    /// Every request signed with a key of AWS (Signature Version 4).
    pub struct AwsSigv4 {
        /// The access key's id.
        access_key_id: SecretText = credential().required(),
        /// The secret access key, which is never sent.
        secret_access_key: SecretText = credential().required(),
        /// The session token that goes with temporary keys.
        session_token: Option<SecretText> = credential().optional("the keys are permanent"),
        /// The region that the API is in.
        region: Text = text("\"eu-central-1\"").required(),
        /// The service's name for signatures: `execute-api` for an API Gateway, `lambda` for a function's URL, `s3`.
        service: Text = text("\"execute-api\"").required(),
    }
}
