//! The closed mapping from error to Java exception class, code and hint.

use apisink_runtime::RuntimeError;
use jni::strings::JNIStr;
use jni::{errors, jni_str};

/// An error on its way to Java.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NativeError {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Kinds of error: each has one exception class and one stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The config is refused.
    Config,
    /// The source's schema does not fit.
    Schema,
    /// A stale or closed session.
    SessionClosed,
    /// A session cannot go on.
    SessionFailed,
    /// Too many rows failed.
    FailWhen,
    /// A panic, caught.
    Panic,
    /// A call that the Java side should not have made, or a failure of JNI itself.
    Internal,
}

impl Kind {
    /// The Java class that is thrown; its constructor takes code, message and hint.
    pub(crate) fn class(self) -> &'static JNIStr {
        match self {
            Kind::Config => jni_str!("io/apisink/ConfigException"),
            Kind::Schema => jni_str!("io/apisink/SchemaException"),
            Kind::SessionClosed => jni_str!("io/apisink/SessionClosedException"),
            Kind::SessionFailed | Kind::FailWhen => jni_str!("io/apisink/SessionFailedException"),
            Kind::Panic => jni_str!("io/apisink/NativePanicException"),
            Kind::Internal => jni_str!("io/apisink/ApiSinkException"),
        }
    }

    /// The stable code that opens the exception's message.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Kind::Config => "CONFIG",
            Kind::Schema => "SCHEMA",
            Kind::SessionClosed => "SESSION_CLOSED",
            Kind::SessionFailed => "SESSION_FAILED",
            Kind::FailWhen => "FAIL_WHEN",
            Kind::Panic => "NATIVE_PANIC",
            Kind::Internal => "INTERNAL",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Kind::Config => "Correct the config; nothing was sent.",
            Kind::Schema => "Select or cast the column in the source DataFrame.",
            Kind::SessionClosed => "The task was stopped; see the first error of the stage.",
            Kind::SessionFailed => "Answers that had arrived are in the journal; see the cause above.",
            Kind::FailWhen => {
                "What was answered is kept. Look at the failed rows (ApiSink.failed, or the journal), repair what made them \
                 fail, then write again with the same runId: rows that were answered are not sent again, unless \
                 execution.resend_on_resume names their outcome."
            }
            Kind::Panic => {
                "This is a bug in apisink; please report it with this message. The executor goes on."
            }
            Kind::Internal => "This is a bug in apisink; please report it with this message.",
        }
    }
}

impl NativeError {
    /// An error with its kind's usual hint.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: kind.hint().to_owned() }
    }
}

impl From<RuntimeError> for NativeError {
    fn from(error: RuntimeError) -> Self {
        let kind = match &error {
            RuntimeError::Schema(_) => Kind::Schema,
            RuntimeError::Closed(_) => Kind::SessionClosed,
            RuntimeError::Panic(_) => Kind::Panic,
            RuntimeError::FailWhen(_) => Kind::FailWhen,
            RuntimeError::Plan(_)
            | RuntimeError::Process(_)
            | RuntimeError::Unreachable(_)
            | RuntimeError::Token(_)
            | RuntimeError::Batch(_) => Kind::SessionFailed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<errors::Error> for NativeError {
    fn from(error: errors::Error) -> Self {
        Self::new(Kind::Internal, format!("JNI: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_error_has_its_own_exception() {
        let table = [
            (RuntimeError::Schema("s".into()), Kind::Schema),
            (RuntimeError::Closed("s".into()), Kind::SessionClosed),
            (RuntimeError::Panic("s".into()), Kind::Panic),
            (RuntimeError::FailWhen("s".into()), Kind::FailWhen),
            (RuntimeError::Plan("s".into()), Kind::SessionFailed),
            (RuntimeError::Process("s".into()), Kind::SessionFailed),
            (RuntimeError::Unreachable("s".into()), Kind::SessionFailed),
            (RuntimeError::Token("s".into()), Kind::SessionFailed),
            (RuntimeError::Batch("s".into()), Kind::SessionFailed),
        ];
        for (error, kind) in table {
            assert_eq!(NativeError::from(error).kind, kind);
        }
    }
}
