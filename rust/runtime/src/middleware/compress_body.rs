//! `compress_body` (interceptor): the body, compressed. It steers nothing, but holds memory while the exchange lasts.

use std::io::{self, Write};

use apisink_plan::{CodingName, CompressBodySpec};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, HeaderValue};

use super::{BoxFuture, BuildContext, Interceptor, Link, Next, Part};
use crate::error::{RowError, RuntimeError};
use crate::exchange::Exchange;

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    Ok(Link::Interceptor(Box::new(CompressBody { spec: context.spec()? })))
}

struct CompressBody {
    spec: CompressBodySpec,
}

impl CompressBody {
    fn name(&self) -> HeaderValue {
        HeaderValue::from_static(match self.spec.encoding {
            CodingName::Gzip => "gzip",
            CodingName::Zstd => "zstd",
        })
    }

    fn compressed(&self, body: &[u8]) -> io::Result<Vec<u8>> {
        match self.spec.encoding {
            CodingName::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(body)?;
                encoder.finish()
            }
            CodingName::Zstd => zstd::bulk::compress(body, zstd::DEFAULT_COMPRESSION_LEVEL),
        }
    }
}

impl Interceptor for CompressBody {
    fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let body = exchange.request.body.clone();
            // One that is compressed already is that of an attempt before.
            if body.len() >= self.spec.min_bytes && !exchange.request.headers.contains_key(CONTENT_ENCODING) {
                match self.compressed(&body) {
                    Ok(compressed) => {
                        exchange.memory.grow(compressed.len()).await;
                        exchange.request.compress_to(Bytes::from(compressed), self.name());
                    }
                    Err(error) => {
                        let what = format!("the body cannot be compressed: {error}");
                        return exchange.refuse(RowError::new("compression", what));
                    }
                }
            }
            next.run(exchange).await;
        })
    }
}
