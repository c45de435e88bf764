//! Two middlewares of one's own, in a native library that takes the place of the one in apisink's jar.
//!
//! `cargo build --release --package apisink-example-middleware` leaves `libapisink_example.so`; with
//! `--conf spark.apisink.native.library=/path/to/libapisink_example.so` Spark uses it, and a config may name `stamp` and
//! `already_there`:
//!
//! ```yaml
//! middleware:
//!   - type: retry
//!   - type: custom
//!     name: already_there
//!   - type: json_body
//!   - type: custom
//!     name: stamp
//!     options: {header: x-stamp}
//!     columns: [region]
//!     secrets: {pepper: "{{secret.vendor:pepper}}"}
//! ```

mod already_there;
mod stamp;

use apisink_jni::runtime::middleware::Registry;

/// What the config may name.
pub fn register(registry: &mut Registry) {
    registry.register("already_there", already_there::make);
    registry.register("stamp", stamp::make);
}

apisink_jni::native_library!(register);
