//! Arrow across the boundary, by the C data interface.

use arrow_array::ffi::{FFI_ArrowArray, from_ffi_and_data_type};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Schema};
use jni::sys::jlong;

use crate::error::{Kind, NativeError};

/// Takes an exported schema over and reads it.
///
/// # Safety
/// `address` is that of an initialised `ArrowSchema` that nobody else reads or releases.
pub(crate) unsafe fn import_schema(address: jlong) -> Result<Schema, NativeError> {
    let pointer = pointer::<FFI_ArrowSchema>(address)?;
    // SAFETY: the caller vouches for the address; the struct left behind is marked as released.
    let schema = unsafe { FFI_ArrowSchema::from_raw(pointer) };
    Schema::try_from(&schema)
        .map_err(|e| NativeError::new(Kind::Schema, format!("the source's Arrow schema: {e}")))
}

/// Takes an exported array over. Dropping it releases its buffers.
///
/// # Safety
/// `address` is that of an initialised `ArrowArray` that nobody else reads or releases.
pub(crate) unsafe fn take_array(address: jlong) -> Result<FFI_ArrowArray, NativeError> {
    let pointer = pointer::<FFI_ArrowArray>(address)?;
    // SAFETY: the caller vouches for the address; the struct left behind is marked as released.
    Ok(unsafe { FFI_ArrowArray::from_raw(pointer) })
}

/// Reads an array of a struct type as a batch. The buffers stay where they are until the batch is dropped.
pub(crate) fn import_batch(array: FFI_ArrowArray, row_type: DataType) -> Result<RecordBatch, NativeError> {
    // SAFETY: the array was exported as of this type: the session's schema came from the same exporter.
    let data = unsafe { from_ffi_and_data_type(array, row_type) };
    let mut data =
        data.map_err(|e| NativeError::new(Kind::Schema, format!("the source's Arrow batch: {e}")))?;
    // Java aligns to 8 bytes; decimals want 16.
    data.align_buffers();
    let rows = StructArray::from(data);
    if rows.null_count() > 0 {
        return Err(NativeError::new(Kind::Internal, "a source batch has null rows"));
    }
    Ok(RecordBatch::from(rows))
}

/// Moves a batch out into two empty structs.
///
/// # Safety
/// Both addresses are those of writable structs of the C data interface that hold nothing to release.
pub(crate) unsafe fn export(batch: RecordBatch, array: jlong, schema: jlong) -> Result<(), NativeError> {
    let array = pointer::<FFI_ArrowArray>(array)?;
    let schema = pointer::<FFI_ArrowSchema>(schema)?;
    let exported_schema = FFI_ArrowSchema::try_from(batch.schema_ref().as_ref())
        .map_err(|e| NativeError::new(Kind::Internal, format!("the response schema: {e}")))?;
    let exported_array = FFI_ArrowArray::new(&StructArray::from(batch).into_data());
    // SAFETY: the caller vouches for both addresses; what they held needs no release.
    unsafe {
        array.write(exported_array);
        schema.write(exported_schema);
    }
    Ok(())
}

fn pointer<T>(address: jlong) -> Result<*mut T, NativeError> {
    let pointer = address as usize as *mut T;
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(NativeError::new(
            Kind::Internal,
            format!("{address:#x} is no address of an Arrow struct"),
        ));
    }
    Ok(pointer)
}
