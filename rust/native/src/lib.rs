//! `libapisink.so`: the entry points of [`apisink_jni`] for the JVM. There is nothing of its own in it.

pub use apisink_jni::*;
