//! Why an attempt has no answer, in the words of the sink.

use std::error::Error as _;

use super::hyper::tls;
use crate::exchange::{Failure, FailureKind};

/// A failure before any byte of the request can have left.
pub(super) fn not_sent(kind: FailureKind, message: String) -> Failure {
    Failure { kind, message, may_have_left: false }
}

/// What an error of hyper's means. `may_have_left` is known by the caller: hyper hands an unsent request back.
pub(super) fn classify(error: &hyper::Error, peer: &str, may_have_left: bool) -> Failure {
    // With TLS 1.3 the server's verdict on a client certificate comes when the handshake is over on this side.
    if let Some(tls) = tls::of_error(error) {
        let (kind, why) = tls::explain(tls, peer);
        return Failure { kind, message: format!("TLS with {peer}: {why}"), may_have_left };
    }
    let mut kind = if error.is_parse() {
        FailureKind::InvalidResponse
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        FailureKind::Reset
    } else {
        FailureKind::Transport
    };
    let mut message = format!("{peer}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind::{
                BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, InvalidInput, UnexpectedEof,
            };
            // What hyper says of chunks that are none.
            if matches!(io.kind(), InvalidData | InvalidInput) {
                kind = FailureKind::InvalidResponse;
            }
            if matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) {
                kind = FailureKind::Reset;
            }
        }
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Failure { kind, message, may_have_left }
}
