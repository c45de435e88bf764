//! What the origin is told to do: the command line, and the same thing for Rust callers.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::{Args, Parser};

use crate::auth::ApiKey;
use crate::duration;
use crate::faults::{Action, FailEvery, FailFirst, FailShare, parse_share};
use crate::latency::Latency;
use crate::oauth::FailTokens;
use crate::sigv4::Sigv4;

/// How the origin behaves. The default answers everything with 200 at once.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Script {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Do not keep the last 1000 requests (nor 64 KB of each body) for /_origin/requests
    #[arg(long)]
    pub no_recording: bool,

    /// Speak HTTP/2 alone, with clients that know so beforehand; what resets a connection resets a stream
    #[arg(long)]
    pub http2: bool,

    /// Most requests at once over a connection of HTTP/2
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub http2_streams: u32,

    /// Seed of everything drawn by chance: the n-th request of two runs meets the same fate
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,

    /// Time to answer: none, fixed:20ms, uniform:5ms..50ms or lognormal:p50=20ms,p99=200ms
    #[arg(long, value_name = "LATENCY", default_value = "none", help_heading = "Answers")]
    pub latency: Latency,

    /// Add the request's headers and body to the answer
    #[arg(long, help_heading = "Answers")]
    pub echo: bool,

    /// Answer with the request's own body, whatever it is
    #[arg(long, conflicts_with_all = ["echo", "body_bytes"], help_heading = "Answers")]
    pub mirror: bool,

    /// Answer with a body of this many bytes (JSON from 13 bytes on), each time with other words
    #[arg(long, value_name = "COUNT", help_heading = "Answers")]
    pub body_bytes: Option<u64>,

    /// Let that body hold every byte value instead of JSON
    #[arg(long, requires = "body_bytes", help_heading = "Answers")]
    pub body_binary: bool,

    /// Compress the bodies of answers with gzip for requests whose Accept-Encoding names it
    #[arg(long, help_heading = "Answers")]
    pub gzip: bool,

    /// Close a connection that has asked nothing for this long
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, help_heading = "Answers")]
    pub close_idle: Option<Duration>,

    /// Ask for basic credentials, answer 401 otherwise (with --bearer too, either is enough)
    #[arg(long, value_name = "USER:PASSWORD", help_heading = "Checks")]
    pub basic: Option<String>,

    /// Ask for a bearer token, answer 401 otherwise
    #[arg(long, value_name = "TOKEN", help_heading = "Checks")]
    pub bearer: Option<String>,

    /// Ask for an API key in a header or query parameter, answer 401 otherwise
    #[arg(long, value_name = "header|query:NAME=KEY", help_heading = "Checks")]
    pub api_key: Option<ApiKey>,

    /// Ask for requests signed with this key of AWS (Signature Version 4), answer 403 otherwise
    #[arg(long, value_name = "ACCESS_KEY_ID:SECRET:REGION:SERVICE[:SESSION_TOKEN]", help_heading = "Checks")]
    pub sigv4: Option<Sigv4>,

    /// Issue tokens to this client at POST /oauth/token, and ask for a valid one everywhere else, answer 401 otherwise
    #[arg(long, value_name = "CLIENT:SECRET", help_heading = "Tokens")]
    pub oauth: Option<String>,

    /// The user that may ask for tokens with the grant password
    #[arg(long, value_name = "USER:PASSWORD", requires = "oauth", help_heading = "Tokens")]
    pub oauth_user: Option<String>,

    /// How long a token lives
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration::parse, help_heading = "Tokens")]
    pub token_life: Duration,

    /// Leave expires_in out
    #[arg(long, requires = "oauth", help_heading = "Tokens")]
    pub token_omit_expiry: bool,

    /// Hand out refresh tokens, each good for one use
    #[arg(long, requires = "oauth", help_heading = "Tokens")]
    pub token_refresh: bool,

    /// Time to answer a token request
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse, help_heading = "Tokens")]
    pub token_latency: Duration,

    /// Refuse the first token requests
    #[arg(
        long,
        value_name = "COUNT:STATUS[:ERROR[=DESCRIPTION]]",
        requires = "oauth",
        help_heading = "Tokens"
    )]
    pub token_fail: Option<FailTokens>,

    /// Refuse the first attempts of each Idempotency-Key, or of each path without one; rules follow each other
    #[arg(long, value_name = "ATTEMPTS:STATUS[:retry-after[-date]=S]", help_heading = "Certain faults")]
    pub fail_first: Vec<FailFirst>,

    /// Refuse every N-th request, in the order of arrival; repeatable
    #[arg(long, value_name = "N:STATUS[:retry-after[-date]=S]", help_heading = "Certain faults")]
    pub fail_every: Vec<FailEvery>,

    /// Refuse a share of all requests; repeatable
    #[arg(long, value_name = "SHARE:STATUS[:retry-after[-date]=S]", help_heading = "Faults by chance")]
    pub fail: Vec<FailShare>,

    /// Reset the connection after reading the request, before any byte of the answer
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse_share, help_heading = "Faults by chance")]
    pub reset_before: f64,

    /// Send status line, headers and half the body, then reset the connection
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse_share, help_heading = "Faults by chance")]
    pub reset_amid: f64,

    /// Send the whole answer, then reset the connection, so that it cannot be used again
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse_share, help_heading = "Faults by chance")]
    pub reset_after: f64,

    /// Read the request and never answer, until the client leaves
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse_share, help_heading = "Faults by chance")]
    pub stall: f64,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            no_recording: false,
            http2: false,
            http2_streams: 200,
            seed: 0,
            latency: Latency::None,
            echo: false,
            mirror: false,
            body_bytes: None,
            body_binary: false,
            gzip: false,
            close_idle: None,
            basic: None,
            bearer: None,
            api_key: None,
            sigv4: None,
            oauth: None,
            oauth_user: None,
            token_life: Duration::from_secs(3600),
            token_omit_expiry: false,
            token_refresh: false,
            token_latency: Duration::ZERO,
            token_fail: None,
            fail_first: Vec::new(),
            fail_every: Vec::new(),
            fail: Vec::new(),
            reset_before: 0.0,
            reset_amid: 0.0,
            reset_after: 0.0,
            stall: 0.0,
        }
    }
}

/// Why a script cannot be carried out, in words for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError(String);

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScriptError {}

/// A command line that holds nothing but a script.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    script: Script,
}

impl Script {
    /// Reads the program's flags, as in `Script::from_args(["--fail", "0.1:503", "--seed", "7"])`.
    ///
    /// # Errors
    /// With the words of the command line, when a flag is not known, not understood or not consistent.
    pub fn from_args<T>(args: impl IntoIterator<Item = T>) -> Result<Self, ScriptError>
    where
        T: Into<OsString> + Clone,
    {
        let line = Line::try_parse_from(args).map_err(|error| ScriptError(error.to_string()))?;
        line.script.check()?;
        Ok(line.script)
    }

    /// Looks for what no single flag shows to be wrong.
    ///
    /// # Errors
    /// When shares make up more than all requests, or when a field holds what its flag would refuse.
    pub fn check(&self) -> Result<(), ScriptError> {
        let shares =
            || self.shares().map(|(share, _)| share).into_iter().chain(self.fail.iter().map(|f| f.share));
        if let Some(share) = shares().find(|share| !(0.0..=1.0).contains(share)) {
            return Err(ScriptError(format!("{share} is not a share: write a number from 0 to 1")));
        }
        let sum: f64 = shares().sum();
        if sum > 1.0 + 1e-9 {
            return Err(ScriptError(format!(
                "the shares of --fail, --reset-* and --stall make {sum}: together they must not exceed 1"
            )));
        }
        if self.fail_every.iter().any(|rule| rule.nth == 0) {
            return Err(ScriptError("--fail-every 0 names no request: write a whole number above 0".into()));
        }
        if self.body_binary && self.body_bytes.is_none() {
            return Err(ScriptError("--body-binary needs --body-bytes to say how many".into()));
        }
        Ok(())
    }

    /// The faults of the connection that come by chance.
    pub(crate) fn shares(&self) -> [(f64, Action); 4] {
        [
            (self.reset_before, Action::ResetBefore),
            (self.reset_amid, Action::ResetAmid),
            (self.reset_after, Action::ResetAfter),
            (self.stall, Action::Stall),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flags_are_the_default() {
        assert_eq!(Script::from_args(Vec::<String>::new()).unwrap(), Script::default());
    }

    #[test]
    fn shares_that_exceed_all_requests_are_refused() {
        let told = Script::from_args(["--fail", "0.6:503", "--stall", "0.5"]).unwrap_err().to_string();
        assert!(told.contains("must not exceed 1"), "{told}");
        assert!(Script::from_args(["--fail", "0.7:503", "--fail", "0.2:429", "--stall", "0.1"]).is_ok());
    }

    #[test]
    fn a_flag_that_is_not_understood_is_named() {
        let told = Script::from_args(["--latency", "20ms"]).unwrap_err().to_string();
        assert!(told.contains("--latency") && told.contains("fixed:20ms"), "{told}");
        assert!(Script::from_args(["--body-binary"]).unwrap_err().to_string().contains("--body-bytes"));
    }
}
