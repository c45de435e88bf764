//! Content codings (RFC 9110, 8.4.1): gzip, deflate, br and zstd, undone piece by piece.

use std::io;

use compression_codecs::DecodeV2;
use compression_codecs::brotli::BrotliDecoder;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::deflate::DeflateDecoder;
use compression_codecs::gzip::GzipDecoder;
use compression_codecs::zlib::ZlibDecoder;
use compression_codecs::zstd::ZstdDecoder;
use compression_codecs::zstd::params::DParameter;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// A zstd window over HTTP is no larger than 8 MB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// A decoded piece is no larger than this: what a few bytes may unfold into is looked at piece by piece.
const PIECE: usize = 16 * 1024;

/// A coding by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The first byte of a further member: bodies of some codings may be several, one after the other.
    fn member(self) -> Option<u8> {
        match self {
            Self::Gzip => Some(0x1f),
            Self::Zstd => Some(0x28),
            Self::Deflate | Self::Brotli => None,
        }
    }

    /// A decoder; `first` is the body's first byte.
    fn decoder(self, first: u8) -> Box<dyn DecodeV2 + Send> {
        match self {
            Self::Gzip => Box::new(GzipDecoder::new()),
            // It is zlib's format by the standard, but some servers send it bare; the compression method of zlib's
            // first byte is always 8 (RFC 1950, 2.2), which a bare body that a compressor makes does not begin with.
            Self::Deflate if first & 0x0f == 8 => Box::new(ZlibDecoder::new()),
            Self::Deflate => Box::new(DeflateDecoder::new()),
            Self::Brotli => Box::new(BrotliDecoder::new()),
            Self::Zstd => {
                Box::new(ZstdDecoder::new_with_params(&[DParameter::window_log_max(ZSTD_WINDOW_LOG)]))
            }
        }
    }
}

/// The decoding of one body.
pub(super) struct Decoding {
    coding: Coding,
    decoder: Option<Box<dyn DecodeV2 + Send>>,
    ended: bool,
    /// The last piece was a full one: more may come of the input so far.
    full: bool,
    piece: Vec<u8>,
}

impl Decoding {
    /// That of an answer with these headers; none when it has no coding, or one that is not known. Several codings of
    /// one body are not undone.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let name = value.as_bytes().trim_ascii();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let coding = if is("gzip") || is("x-gzip") {
            Coding::Gzip
        } else if is("deflate") {
            Coding::Deflate
        } else if is("br") {
            Coding::Brotli
        } else if is("zstd") {
            Coding::Zstd
        } else {
            return None;
        };
        Some(Self { coding, decoder: None, ended: false, full: false, piece: vec![0; PIECE] })
    }

    /// The coding's name.
    pub(super) fn name(&self) -> &'static str {
        self.coding.name()
    }

    /// The next decoded piece of `input`; none when it needs more of it. What follows the end is left out.
    pub(super) fn next(&mut self, input: &mut PartialBuffer<&[u8]>) -> io::Result<Option<&[u8]>> {
        loop {
            if self.ended {
                match (input.unwritten().first(), &mut self.decoder) {
                    (Some(first), Some(decoder)) if self.coding.member() == Some(*first) => {
                        decoder.reinit()?;
                        self.ended = false;
                    }
                    _ => return Ok(None),
                }
            }
            let decoder = match (&mut self.decoder, input.unwritten().first()) {
                (Some(decoder), _) => decoder,
                (none, Some(first)) => none.insert(self.coding.decoder(*first)),
                (None, None) => return Ok(None),
            };
            let before = input.written_len();
            let mut output = WriteBuffer::new_initialized(&mut self.piece);
            match (input.unwritten(), self.full, self.coding) {
                ([], false, _) => return Ok(None),
                // Without input its decoder takes it for an error that nothing more may come.
                ([], true, Coding::Gzip | Coding::Deflate) => {
                    decoder.flush(&mut output)?;
                }
                _ => self.ended = decoder.decode(input, &mut output)?,
            }
            self.full = output.has_no_spare_space();
            let written = output.written_len();
            if written > 0 {
                return Ok(Some(&self.piece[..written]));
            }
            if !self.ended && input.written_len() == before {
                return Ok(None);
            }
        }
    }

    /// Whether the body is whole. An empty one is.
    pub(super) fn is_whole(&mut self) -> bool {
        let Some(decoder) = self.decoder.as_mut().filter(|_| !self.ended) else { return true };
        decoder.finish(&mut WriteBuffer::new_initialized(&mut self.piece)).is_ok_and(|finished| finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_that_is_not_known_and_several_at_once_are_left_alone() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            Decoding::of(&headers).map(|decoding| decoding.name())
        };
        assert_eq!(of(&["GZIP "]), Some("gzip"));
        assert_eq!(of(&["x-gzip"]), Some("gzip"));
        for values in [&[][..], &["identity"], &["compress"], &["gzip, br"], &["gzip", "br"]] {
            assert_eq!(of(values), None, "{values:?}");
        }
    }
}
