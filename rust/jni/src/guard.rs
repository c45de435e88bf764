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
