//! Answers that earlier task attempts have journaled, on their way into a session.

use uuid::Uuid;

use crate::error::RuntimeError;
use crate::exchange::Outcome;

/// An answer that is in the journal already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whose answer.
    pub(super) request_id: Uuid,
    /// [`digest_prefix`] of the request that was sent.
    pub(super) digest: u64,
    /// Attempts that it took.
    pub(super) attempts: u32,
    /// What came of it.
    pub(super) outcome: Outcome,
}

/// Bytes of an answer's record: request_id, digest, attempts (big endian both), outcome.
const RECORD: usize = 16 + 8 + 4 + 1;

/// Reads records that stand one after another. The outcome is the position of its word in [`OUTCOMES`].
pub(super) fn parse(records: &[u8]) -> Result<Vec<Answer>, RuntimeError> {
    let chunks = records.chunks_exact(RECORD);
    if !chunks.remainder().is_empty() {
        return Err(wrong("they end amid a record"));
    }
    chunks
        .map(|record| {
            let (request_id, rest) =
                record.split_first_chunk::<16>().ok_or_else(|| wrong("no request_id"))?;
            let (digest, rest) = rest.split_first_chunk::<8>().ok_or_else(|| wrong("no digest"))?;
            let (attempts, rest) = rest.split_first_chunk::<4>().ok_or_else(|| wrong("no attempts"))?;
            let outcome = rest.first().and_then(|word| OUTCOMES.get(usize::from(*word)));
            Ok(Answer {
                request_id: Uuid::from_bytes(*request_id),
                digest: u64::from_be_bytes(*digest),
                attempts: u32::from_be_bytes(*attempts),
                outcome: *outcome.ok_or_else(|| wrong("an outcome is not known"))?,
            })
        })
        .collect()
}

/// Reads tracking ids that stand one after another: length (4 bytes, big endian), then the text.
pub(super) fn parse_ids(mut records: &[u8]) -> Result<Vec<&str>, RuntimeError> {
    let wrong =
        |what: &str| RuntimeError::Batch(format!("the delivered tracking ids cannot be read: {what}"));
    let mut ids = Vec::new();
    while !records.is_empty() {
        let (length, rest) =
            records.split_first_chunk::<4>().ok_or_else(|| wrong("they end amid a length"))?;
        let length = u32::from_be_bytes(*length) as usize;
        let (id, rest) = rest.split_at_checked(length).ok_or_else(|| wrong("they end amid a text"))?;
        ids.push(std::str::from_utf8(id).map_err(|_| wrong("one is not UTF-8"))?);
        records = rest;
    }
    Ok(ids)
}

/// The order in which the Java side numbers outcomes.
const OUTCOMES: [Outcome; 6] = [
    Outcome::Success,
    Outcome::HttpError,
    Outcome::TransportError,
    Outcome::InvalidRow,
    Outcome::InvalidResponse,
    Outcome::Unknown,
];

/// The first 64 bits of a request digest as the sink writes it: enough to tell a changed row from its old self.
pub(super) fn digest_prefix(digest: &str) -> u64 {
    digest.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0)
}

fn wrong(why: &str) -> RuntimeError {
    RuntimeError::Batch(format!("the records of earlier answers cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn tracking_ids_are_read_one_after_another_and_broken_ones_refused() {
        assert_eq!(
            super::parse_ids(b"\0\0\0\x02ab\0\0\0\0\0\0\0\x02\xc3\xbc").unwrap(),
            ["ab", "", "\u{fc}"]
        );
        for broken in [&b"\0\0"[..], b"\0\0\0\x03ab", b"\0\0\0\x01\xff"] {
            assert!(super::parse_ids(broken).unwrap_err().to_string().contains("delivered tracking ids"));
        }
    }

    use super::*;

    #[test]
    fn records_are_read_one_after_another() {
        let mut bytes = vec![7; 16];
        bytes.extend(0x0123_4567_89ab_cdef_u64.to_be_bytes());
        bytes.extend(3_u32.to_be_bytes());
        bytes.push(1);
        let one = Answer {
            request_id: Uuid::from_bytes([7; 16]),
            digest: digest_prefix("0123456789abcdef0123456789abcdef"),
            attempts: 3,
            outcome: Outcome::HttpError,
        };
        assert_eq!(parse(&bytes).unwrap(), [one]);
        assert_eq!(parse(&bytes.repeat(2)).unwrap(), [one, one]);
        assert_eq!(parse(&[]).unwrap(), []);
    }

    #[test]
    fn a_cut_record_and_an_unknown_outcome_are_refused() {
        assert!(parse(&[0; RECORD - 1]).is_err());
        let mut bytes = [0; RECORD];
        bytes[RECORD - 1] = 6;
        assert!(parse(&bytes).is_err());
    }
}
