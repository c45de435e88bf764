//! Why an attempt has no answer, in the words of the sink.

use std::error::Error as _;
use std::io;

use h2::Reason;

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
    if error.is_timeout() {
        let message = format!("{peer}: no answer to a PING in time (transport.http2.ping_timeout)");
        return Failure { kind: FailureKind::PingTimeout, message, may_have_left };
    }
    if let Some((kind, why)) = http2(error).and_then(explain_http2) {
        return Failure { kind, message: format!("{peer}: {why}"), may_have_left };
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
        kind = cause.downcast_ref().and_then(of_io).unwrap_or(kind);
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Failure { kind, message, may_have_left }
}

/// What befell the socket, if its error says more than that something did.
fn of_io(error: &io::Error) -> Option<FailureKind> {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, InvalidInput, UnexpectedEof,
    };
    match error.kind() {
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => Some(FailureKind::Reset),
        // What hyper says of chunks that are none.
        InvalidData | InvalidInput => Some(FailureKind::InvalidResponse),
        _ => None,
    }
}

/// The answer to a request ended with a reset of its stream that names no error.
pub(super) fn reset_amid(peer: &str) -> Failure {
    let message = format!("{peer}: the server reset the stream amid its answer");
    Failure { kind: FailureKind::Reset, message, may_have_left: true }
}

/// Whether the server says that it has not processed the request: it is beyond the last one that a GOAWAY lets pass, or
/// its stream is refused (RFC 9113, 6.8 and 8.7).
pub(super) fn is_refusal(error: &hyper::Error) -> bool {
    http2(error).is_some_and(|error| {
        // h2 ends the streams that a GOAWAY lets pass with another error.
        error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM))
    })
}

/// What h2 has said.
fn http2(error: &hyper::Error) -> Option<&h2::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// Kind and words of what the server did, of what it did wrong, or of what befell the socket.
fn explain_http2(error: &h2::Error) -> Option<(FailureKind, String)> {
    if let Some(io) = error.get_io() {
        // h2 does not tell it as a cause, and whatever it is, the connection is gone.
        return Some((FailureKind::Reset, format!("the connection broke: {io}")));
    }
    let reason = error.reason()?;
    Some(match (error.is_remote(), error.is_go_away()) {
        (true, true) => (FailureKind::Reset, format!("the server ended the connection (GOAWAY): {reason}")),
        (true, false) => (FailureKind::Reset, format!("the server reset the stream: {reason}")),
        (false, _) => {
            (FailureKind::InvalidResponse, format!("the server broke the rules of HTTP/2: {reason}"))
        }
    })
}
