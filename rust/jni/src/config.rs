//! Config on the driver: references out, a compiled plan back.

use crate::error::NativeError;

pub(crate) fn references(_text: &[u8], _name: &str) -> Result<Vec<u8>, NativeError> {
    Ok(Vec::new())
}

pub(crate) fn compile(_text: &[u8], _name: &str, _inputs: &[u8]) -> Result<Vec<Vec<u8>>, NativeError> {
    Ok(Vec::new())
}
