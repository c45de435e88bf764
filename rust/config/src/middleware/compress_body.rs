//! `compress_body`: the request's body, compressed.

use crate::keys::{Choice, choice, keys, whole};

keys! {
    /// Compresses the request's body, and says so in its Content-Encoding. For APIs that take it.
    pub struct CompressBody {
        /// How.
        encoding: Compression = choice(ENCODINGS).or(Compression::Gzip),
        /// The shortest body that is compressed.
        min_bytes: usize = whole(0..=1 << 30, "bytes").or(1024),
    }
}

const ENCODINGS: &[Choice<Compression>] =
    &[("gzip", Compression::Gzip, "known to almost all"), ("zstd", Compression::Zstd, "faster and smaller")];

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}
