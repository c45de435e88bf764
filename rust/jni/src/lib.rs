//! What the native library has: entry points for `io.apisink.jni.Native`, and all the unsafe code there is. The library itself is
//! made by `rust/native`, or by whoever adds [middleware of their own](native_library).
//!
//! Ownership across the boundary, in one place:
//!
//! - **Source batches** move in. [`session::submit`] takes the `ArrowArray` over, reads it, and has released it when
//!   it returns; the Java side may reuse its buffers then.
//! - **Response batches** move out. The Java side owns the two structs that it passed and releases what they hold.
//! - **Sessions** are numbers with a generation ([`handles`]): a stale one is an exception, never a wild pointer.
//! - **Bytes** are copied in both directions.
//!
//! Every entry point runs inside [`guard::guard`]: an error or a panic becomes a typed Java exception and the JVM
//! lives. Only the calling thread touches the JVM; runtime threads never attach to it.
#![deny(unsafe_op_in_unsafe_fn)]

mod allocator;
mod arrow;
mod config;
mod error;
mod extension;
mod guard;
mod handles;
mod lease;
mod millis;
mod process;
mod session;

use jni::EnvUnowned;
use jni::objects::{JByteArray, JClass, JObjectArray, JString};
use jni::sys::{jboolean, jdouble, jint, jlong};

pub use apisink_runtime as runtime;
pub use extension::on_load;
use guard::guard;

/// Raised whenever a signature or a meaning below changes; the Java side refuses a library of another version.
pub const ABI_VERSION: jint = 9;

/// `int abiVersion()`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_abiVersion<'l>(_: EnvUnowned<'l>, _: JClass<'l>) -> jint {
    // Whoever loads the library asks for this first.
    allocator::set_up();
    ABI_VERSION
}

/// `byte[] configReferences(byte[] text, String name, byte[] overrides)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_configReferences<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    text: JByteArray<'l>,
    name: JString<'l>,
    overrides: JByteArray<'l>,
) -> JByteArray<'l> {
    guard(&mut env, |env| {
        let text = env.convert_byte_array(&text)?;
        let name = name.try_to_string(env)?;
        let overrides = env.convert_byte_array(&overrides)?;
        Ok(env.byte_array_from_slice(&config::references(&text, &name, &overrides)?)?)
    })
}

/// `byte[][] compileConfig(byte[] text, String name, byte[] overrides, byte[] inputs)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_compileConfig<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    text: JByteArray<'l>,
    name: JString<'l>,
    overrides: JByteArray<'l>,
    inputs: JByteArray<'l>,
) -> JObjectArray<'l, JByteArray<'l>> {
    guard(&mut env, |env| {
        let text = env.convert_byte_array(&text)?;
        let name = name.try_to_string(env)?;
        let overrides = env.convert_byte_array(&overrides)?;
        let inputs = env.convert_byte_array(&inputs)?;
        byte_arrays(env, &config::compile(&text, &name, &overrides, &inputs)?)
    })
}

/// `long openSession(byte[] plan, byte[] secrets, byte[] task, long schemaAddress)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_openSession<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    plan: JByteArray<'l>,
    secrets: JByteArray<'l>,
    task: JByteArray<'l>,
    schema_address: jlong,
) -> jlong {
    guard(&mut env, |env| {
        // SAFETY: the Java side passes the address of an ArrowSchema that it exported for this call alone.
        let schema = unsafe { arrow::import_schema(schema_address) };
        let plan = env.convert_byte_array(&plan)?;
        let secrets = env.convert_byte_array(&secrets)?;
        let task = env.convert_byte_array(&task)?;
        session::open(&plan, &secrets, &task, schema?)
    })
}

/// `void resume(long session, byte[] answers)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_resume<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
    answers: JByteArray<'l>,
) {
    guard(&mut env, |env| {
        let answers = env.convert_byte_array(&answers)?;
        session::resume(session, &answers)
    })
}

/// `void skip(long session, byte[] trackingIds)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_skip<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
    tracking_ids: JByteArray<'l>,
) {
    guard(&mut env, |env| {
        let tracking_ids = env.convert_byte_array(&tracking_ids)?;
        session::skip(session, &tracking_ids)
    })
}

/// `int await(long session, long timeoutMillis, boolean finishing)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_await<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
    timeout_millis: jlong,
    finishing: jboolean,
) -> jint {
    guard(&mut env, |_| session::wait(session, timeout_millis, finishing))
}

/// `void submit(long session, long arrayAddress)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_submit<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
    array_address: jlong,
) {
    guard(&mut env, |_| {
        // SAFETY: the Java side passes the address of an ArrowArray that it exported for this call alone.
        let array = unsafe { arrow::take_array(array_address) }?;
        session::submit(session, array)
    })
}

/// `void finish(long session)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_finish<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
) {
    guard(&mut env, |_| session::finish(session))
}

/// `int takeResponses(long session, long arrayAddress, long schemaAddress, int maxRows)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_takeResponses<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
    array_address: jlong,
    schema_address: jlong,
    max_rows: jint,
) -> jint {
    guard(&mut env, |_| {
        let Some(batch) = session::take(session, max_rows)? else { return Ok(0) };
        let rows = batch.num_rows() as jint;
        // SAFETY: the Java side passes the addresses of two empty structs that it allocated for this call.
        unsafe { arrow::export(batch, array_address, schema_address) }?;
        Ok(rows)
    })
}

/// `byte[][] takeLogs(long session)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_takeLogs<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
) -> JObjectArray<'l, JByteArray<'l>> {
    guard(&mut env, |env| byte_arrays(env, &session::take_logs(session)?))
}

/// `byte[] sessionStats(long session)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_sessionStats<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
) -> JByteArray<'l> {
    guard(&mut env, |env| Ok(env.byte_array_from_slice(&session::stats(session)?)?))
}

/// `boolean drainSession(long session, long timeoutMillis)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_drainSession<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
    timeout_millis: jlong,
) -> jboolean {
    guard(&mut env, |_| session::drain(session, timeout_millis))
}

/// `void stopSession(long session)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_stopSession<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
) {
    guard(&mut env, |_| session::stop(session))
}

/// `void closeSession(long session)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_closeSession<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
) {
    guard(&mut env, |_| {
        session::close(session);
        Ok(())
    })
}

/// `byte[] processStats()`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_processStats<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
) -> JByteArray<'l> {
    guard(&mut env, |env| Ok(env.byte_array_from_slice(&process::stats()?)?))
}

/// `boolean shutDown(long graceMillis)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_shutDown<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    grace_millis: jlong,
) -> jboolean {
    guard(&mut env, |_| Ok(process::shut_down(grace_millis)))
}

/// `byte[] leaseAsk(long timeoutMillis)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_leaseAsk<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    timeout_millis: jlong,
) -> JByteArray<'l> {
    guard(&mut env, |env| Ok(env.byte_array_from_slice(&lease::ask(timeout_millis)?)?))
}

/// `void leaseDeliver(byte[] grant)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_leaseDeliver<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    grant: JByteArray<'l>,
) {
    guard(&mut env, |env| lease::deliver(&env.convert_byte_array(&grant)?))
}

/// `void leaseGiveUp(byte[] ask)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_leaseGiveUp<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    ask: JByteArray<'l>,
) {
    guard(&mut env, |env| lease::give_up(&env.convert_byte_array(&ask)?))
}

/// `byte[] leaseAnswer(byte[] ask)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_leaseAnswer<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    ask: JByteArray<'l>,
) -> JByteArray<'l> {
    guard(&mut env, |env| {
        let ask = env.convert_byte_array(&ask)?;
        Ok(env.byte_array_from_slice(&lease::answer(&ask)?)?)
    })
}

/// `void steerRate(String limit, double perSecond, long pauseMillis)`
// SAFETY: the symbol's name is that of one Java native method; no other code exports it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_apisink_jni_Native_steerRate<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    limit: JString<'l>,
    per_second: jdouble,
    pause_millis: jlong,
) {
    guard(&mut env, |env| {
        let limit = limit.try_to_string(env)?;
        lease::steer(&limit, per_second, pause_millis)
    })
}

fn byte_arrays<'l>(
    env: &mut jni::Env<'l>,
    items: &[Vec<u8>],
) -> Result<JObjectArray<'l, JByteArray<'l>>, error::NativeError> {
    let array = JObjectArray::<JByteArray>::new(env, items.len(), JByteArray::null())?;
    for (index, item) in items.iter().enumerate() {
        let bytes = env.byte_array_from_slice(item)?;
        array.set_element(env, index, &bytes)?;
        env.delete_local_ref(bytes);
    }
    Ok(array)
}
