//! A native library with middleware of its own: the same entry points, and a registry with more in it.

use std::panic::catch_unwind;

use apisink_runtime::Process;
use apisink_runtime::middleware::Registry;
use jni::sys::{JNI_ERR, JNI_VERSION_1_8, jint};

/// Makes a crate of type `cdylib` a native library of apisink with middleware of its own. The argument is a function
/// `fn(&mut Registry)` that registers it; see `examples/middleware`.
///
/// The JVM calls it when it loads the library, before anything else in it. Spark's setting `spark.apisink.native.library`
/// names the library, on driver and executors; it replaces the one in the jar and must be built from the same version.
#[macro_export]
macro_rules! native_library {
    ($register:path) => {
        /// Called by the JVM when it loads the library.
        // SAFETY: the symbol's name is the JVM's own for this purpose; a library defines it once.
        #[unsafe(no_mangle)]
        pub extern "system" fn JNI_OnLoad(_: *mut ::core::ffi::c_void, _: *mut ::core::ffi::c_void) -> i32 {
            $crate::on_load($register)
        }
    };
}

/// What [`native_library`] does when the JVM loads the library. The version of JNI that it needs, or an error that makes the
/// JVM refuse it: another library has registered middleware before, or there was a panic.
#[must_use]
pub fn on_load(register: fn(&mut Registry)) -> jint {
    match catch_unwind(|| Process::extend(register)) {
        Ok(true) => JNI_VERSION_1_8,
        _ => JNI_ERR,
    }
}
