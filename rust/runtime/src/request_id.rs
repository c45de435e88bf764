//! The request_id: fixed before the first attempt, the same in every retry, task attempt and re-run of the run.

use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

/// Namespace of all runs; drawn at random once, never to change.
const APISINK: Uuid = Uuid::from_u128(0x8f3b_1c52_6d0e_4a6b_9d59_7ac4_1f0e_3c11);

/// Makes the request_ids of one run and epoch (RFC 9562, version 5).
#[derive(Clone, Debug)]
pub struct RequestIds {
    run: Uuid,
    epoch: u64,
}

impl RequestIds {
    /// The ids of a run's epoch.
    pub fn new(run_id: &str, epoch: u64) -> Self {
        Self { run: version_5(APISINK, &[run_id.as_bytes()]), epoch }
    }

    /// The id of a row. `occurrence` counts equal tracking ids within the run, from 0.
    ///
    /// The two numbers stand before the tracking_id, which may hold any character, so that no two rows share a name.
    pub fn of(&self, tracking_id: &str, occurrence: u64) -> Uuid {
        let (mut epoch, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
        let [epoch, count] = [epoch.format(self.epoch), count.format(occurrence)].map(str::as_bytes);
        version_5(self.run, &[epoch, b":", count, b":", tracking_id.as_bytes()])
    }
}

impl RequestIds {
    /// The id of a row that shares its tracking_id with others: they are told apart by their content, whatever the order
    /// in which they come. `occurrence` counts equal rows from 0.
    ///
    /// The name begins with a letter and thus never equals one of [`RequestIds::of`].
    pub fn of_content(&self, tracking_id: &str, content: &str, occurrence: u64) -> Uuid {
        let name = format!("content:{}:{occurrence}:{content}:{tracking_id}", self.epoch);
        version_5(self.run, &[name.as_bytes()])
    }

    /// The id of a row whose tracking_id is null; such rows are counted per partition, from 0.
    ///
    /// The name begins with a letter and thus never equals that of a row with a tracking_id.
    pub fn without_tracking_id(&self, partition: u32, ordinal: u64) -> Uuid {
        let name = format!("null:{}:{partition}:{ordinal}", self.epoch);
        version_5(self.run, &[name.as_bytes()])
    }
}

/// The UUID of a name, in pieces, within a namespace (RFC 9562, 5.5). There is one for each row: this SHA-1 uses the
/// processor's instructions for it, that of the `uuid` crate does not.
fn version_5(namespace: Uuid, name: &[&[u8]]) -> Uuid {
    let mut hash = Sha1::new_with_prefix(namespace.as_bytes());
    name.iter().for_each(|piece| hash.update(piece));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::RequestIds;

    #[test]
    fn the_same_row_of_the_same_run_always_has_the_same_request_id() {
        let ids = RequestIds::new("nightly-2026-01-31", 0);
        assert_eq!(ids.of("p-1", 0), RequestIds::new("nightly-2026-01-31", 0).of("p-1", 0));
        // Held literally: a change of the derivation would make a resumed run send everything again.
        assert_eq!(ids.of("p-1", 0).to_string(), "de93a52a-2652-5a8b-817f-f58718afc011");
        assert_eq!(ids.of("p-1", 0).get_version_num(), 5);
    }

    #[test]
    fn run_epoch_tracking_id_and_occurrence_each_change_the_request_id() {
        let id = RequestIds::new("a", 0).of("x", 0);
        assert_ne!(id, RequestIds::new("b", 0).of("x", 0));
        assert_ne!(id, RequestIds::new("a", 1).of("x", 0));
        assert_ne!(id, RequestIds::new("a", 0).of("y", 0));
        assert_ne!(id, RequestIds::new("a", 0).of("x", 1));
        assert_ne!(RequestIds::new("a", 0).of("1:x", 1), RequestIds::new("a", 0).of("x", 11));
    }
}
