//! The one guard around every entry point.

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::objects::JValue;
use jni::{Env, EnvUnowned, jni_sig};

use crate::error::{Kind, NativeError};

/// Runs an entry point's body; an error or a panic becomes a Java exception and the default value is returned.
pub(crate) fn guard<'l, T: Default>(
    env: &mut EnvUnowned<'l>,
    body: impl FnOnce(&mut Env<'l>) -> Result<T, NativeError>,
) -> T {
    env.with_env(body).resolve::<Throw>()
}

/// Throws the exception that belongs to an error. The jni crate's own policies drop messages of panics.
struct Throw;

impl<T: Default> ErrorPolicy<T, NativeError> for Throw {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        (): &mut (),
        error: NativeError,
    ) -> jni::errors::Result<T> {
        throw(env, &error)
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        (): &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "native code panicked without a message".to_owned());
        throw(env, &NativeError::new(Kind::Panic, message))
    }
}

fn throw<T: Default>(env: &mut Env<'_>, error: &NativeError) -> jni::errors::Result<T> {
    if env.exception_check() {
        // A Java exception is on its way already and says more than its echo.
        return Ok(T::default());
    }
    let code = env.new_string(error.kind.code())?;
    let message = env.new_string(&error.message)?;
    let hint = env.new_string(&error.hint)?;
    let exception = env.new_object(
        error.kind.class(),
        jni_sig!("(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;)V"),
        &[JValue::Object(&code), JValue::Object(&message), JValue::Object(&hint)],
    )?;
    let exception = env.cast_local::<jni::objects::JThrowable>(exception)?;
    // Throwing reports itself as an error.
    let _ = env.throw(exception);
    Ok(T::default())
}

#[cfg(test)]
mod tests {
    //! Against a real JVM within the test's process, with the project's own exception classes.

    use std::path::Path;
    use std::process::Command;
    use std::sync::OnceLock;

    use jni::objects::JString;
    use jni::{InitArgsBuilder, JNIVersion, JavaVM, jni_str};

    use super::*;

    /// Every kind of error, so that a new one is not forgotten.
    const KINDS: [Kind; 6] =
        [Kind::Config, Kind::Schema, Kind::SessionClosed, Kind::SessionFailed, Kind::Panic, Kind::Internal];

    fn vm() -> &'static JavaVM {
        static VM: OnceLock<JavaVM> = OnceLock::new();
        VM.get_or_init(|| {
            let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scala/src/main/java/io/apisink");
            let classes = std::env::temp_dir().join(format!("apisink-exceptions-{}", std::process::id()));
            let sources = std::fs::read_dir(sources)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.to_string_lossy().ends_with("Exception.java"));
            let status = Command::new("javac").arg("-d").arg(&classes).args(sources).status().unwrap();
            assert!(status.success(), "javac ended with {status}");
            let args = InitArgsBuilder::new()
                .version(JNIVersion::V1_8)
                .option(format!("-Djava.class.path={}", classes.display()))
                .option("-Xmx32m")
                .build()
                .unwrap();
            JavaVM::new(args).unwrap()
        })
    }

    /// Runs a body within the guard, as a Java call would, and returns class name and message of what was thrown.
    fn thrown(body: impl FnOnce(&mut Env<'_>) -> Result<jni::sys::jint, NativeError>) -> (String, String) {
        vm().attach_current_thread(|env| -> jni::errors::Result<_> {
            // SAFETY: the pointer is this thread's, which is attached for as long as the closure runs.
            let mut unowned = unsafe { EnvUnowned::from_raw(env.get_raw()) };
            assert_eq!(guard(&mut unowned, body), 0, "an error yields the default value");
            let exception = env.exception_occurred().expect("something must have been thrown");
            env.exception_clear();
            let class = env.get_object_class(&exception)?;
            let mut text = |object: &jni::objects::JObject<'_>, method| -> jni::errors::Result<String> {
                let value = env.call_method(object, method, jni_sig!("()Ljava/lang/String;"), &[])?.l()?;
                env.cast_local::<JString>(value)?.try_to_string(env)
            };
            Ok((text(&class, jni_str!("getName"))?, text(&exception, jni_str!("getMessage"))?))
        })
        .unwrap()
    }

    #[test]
    fn each_kind_of_error_is_thrown_as_its_class_with_code_message_and_hint() {
        for kind in KINDS {
            let (class, message) = thrown(|_| Err(NativeError::new(kind, "it broke")));
            assert_eq!(class.replace('.', "/"), kind.class().to_str());
            assert!(message.starts_with(&format!("[{}] it broke\n", kind.code())), "{message}");
        }
    }

    #[test]
    fn a_panic_is_an_exception_with_its_message_and_the_process_lives() {
        let (class, message) = thrown(|_| panic!("row {} has no shape", 7));
        assert_eq!(class, "io.apisink.NativePanicException");
        assert!(message.contains("row 7 has no shape"), "{message}");
        let (_, message) = thrown(|_| std::panic::panic_any(7));
        assert!(message.contains("without a message"), "{message}");
    }

    #[test]
    fn an_exception_that_java_threw_already_is_not_replaced() {
        let (class, message) = thrown(|env| {
            env.throw_new(jni_str!("java/lang/IllegalStateException"), jni_str!("the first"))?;
            Err(NativeError::new(Kind::Internal, "its echo"))
        });
        assert_eq!((class.as_str(), message.as_str()), ("java.lang.IllegalStateException", "the first"));
    }
}
