//! Who a row is: its tracking_id, its request_id, and whether it is to be sent under them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::answers::{Answer, digest_prefix};
use crate::budget::{ByteBudget, Reservation};
use crate::error::RowError;
use crate::request_id::RequestIds;
use crate::row::{ColumnIndex, Row};

/// Tells the rows of one partition apart. Equal tracking ids always meet here: Spark clusters rows by them.
///
/// Holds 16 bytes per row of the partition, and 24 per answer of earlier attempts until its row comes by; both are
/// counted in the process's budget.
pub(super) struct Identities {
    id_column: ColumnIndex,
    ids: RequestIds,
    partition: u32,
    seen: HashSet<Uuid>,
    answered: HashMap<Uuid, u64>,
    repeated: HashMap<Uuid, u64>,
    null_ids: u64,
    budget: Arc<ByteBudget>,
    memory: Reservation,
}

/// What becomes of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is sent under this request_id.
    Send(Uuid),
    /// Its answer is in the journal.
    Answered,
    /// It becomes an invalid row under this request_id.
    Refuse(Uuid, RowError),
}

impl Identities {
    pub(super) fn new(
        id_column: ColumnIndex,
        ids: RequestIds,
        partition: u32,
        budget: Arc<ByteBudget>,
    ) -> Self {
        Self {
            id_column,
            ids,
            partition,
            seen: HashSet::new(),
            answered: HashMap::new(),
            repeated: HashMap::new(),
            null_ids: 0,
            memory: budget.take(0),
            budget,
        }
    }

    /// Takes an answer of an earlier attempt in; false when there was one for the same request_id before, which counts.
    pub(super) fn answered(&mut self, answer: &Answer) -> bool {
        match self.answered.entry(answer.request_id) {
            Entry::Vacant(place) => {
                place.insert(answer.digest);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// The tracking_id of a row, or the decision about a row that has none.
    pub(super) fn tracking_id(&mut self, row: &Row<'_>) -> Result<String, Decision> {
        self.read_tracking_id(row).map_err(|error| {
            let request_id = self.ids.without_tracking_id(self.partition, self.null_ids);
            self.null_ids += 1;
            Decision::Refuse(request_id, error)
        })
    }

    /// Decides about a row by its tracking_id and the digest of its request, or by why there is no request.
    ///
    /// A row whose request_id was answered for another request is not sent: its idempotency key is used up, and the
    /// old answer is not its own. Where rows share a tracking_id, the one that was answered is found by its digest,
    /// whatever the order in which they arrive this time.
    pub(super) fn decide(&mut self, tracking_id: &str, digest: Result<&str, RowError>) -> Decision {
        let first = self.ids.of(tracking_id, 0);
        if let Some(known) = self.answered.get(&first) {
            let error = match digest {
                Ok(digest) if digest_prefix(digest) == *known => {
                    self.answered.remove(&first);
                    self.seen.insert(first);
                    return Decision::Answered;
                }
                Ok(_) => RowError::new(
                    "content_changed",
                    format!(
                        "tracking_id {tracking_id} was answered in this run for a request with other content: the row \
                         has changed since, or the source has several rows of this id; it was not sent"
                    ),
                ),
                Err(error) => error,
            };
            return Decision::Refuse(self.next_occurrence(first, tracking_id), error);
        }
        if self.seen.insert(first) {
            return match digest {
                Ok(_) => Decision::Send(first),
                Err(error) => Decision::Refuse(first, error),
            };
        }
        let error = RowError::new(
            "duplicate_tracking_id",
            format!(
                "tracking_id {tracking_id} stands in more than one row of the source; only one of them was sent"
            ),
        );
        Decision::Refuse(self.next_occurrence(first, tracking_id), error)
    }

    /// Counts the memory of what is known now. Call it after each batch.
    pub(super) fn account(&mut self) {
        const ANSWER: usize = 24 + 1;
        const ID: usize = 16 + 1;
        let bytes =
            (self.answered.capacity() + self.repeated.capacity()) * ANSWER + self.seen.capacity() * ID;
        if bytes > self.memory.bytes() {
            self.memory = self.budget.take(bytes);
        } else {
            self.memory.shrink_to(bytes);
        }
    }

    fn next_occurrence(&mut self, first: Uuid, tracking_id: &str) -> Uuid {
        let occurrence = self.repeated.entry(first).or_insert(0);
        *occurrence += 1;
        self.ids.of(tracking_id, *occurrence)
    }

    fn read_tracking_id(&self, row: &Row<'_>) -> Result<String, RowError> {
        let name = row.name(self.id_column);
        if row.is_null(self.id_column) {
            return Err(RowError::new(
                "null_id",
                format!("column {name} holds the tracking_id and is null in this row"),
            ));
        }
        let mut text = Vec::new();
        row.write_text(self.id_column, &mut text)?;
        String::from_utf8(text).map_err(|_| RowError::new("value", format!("column {name} is not UTF-8")))
    }
}

#[cfg(test)]
mod tests {
    use apisink_plan::ColumnRef;
    use arrow_schema::{DataType, Field, Schema};

    use super::*;
    use crate::exchange::Outcome;
    use crate::row::Binder;

    const OLD: &str = "00000000000000aa0000000000000000";
    const NEW: &str = "00000000000000bb0000000000000000";

    fn ids() -> RequestIds {
        RequestIds::new("run", 0)
    }

    fn identities(budget: &Arc<ByteBudget>) -> Identities {
        let schema = Schema::new(vec![Field::new("id", DataType::Utf8, true)]);
        let column = ColumnRef { path: vec!["id".into()], required: true, default: None };
        let index = Binder::new(&schema).column(&column).unwrap();
        Identities::new(index, ids(), 0, budget.clone())
    }

    fn resumed() -> Identities {
        let mut identities = identities(&ByteBudget::new(1 << 20));
        let digest = digest_prefix(OLD);
        let answer = Answer { request_id: ids().of("a", 0), digest, attempts: 1, outcome: Outcome::Success };
        assert!(identities.answered(&answer));
        assert!(!identities.answered(&answer), "the second answer to a request counts for nothing");
        identities
    }

    fn refused(decision: Decision) -> (Uuid, &'static str) {
        match decision {
            Decision::Refuse(request_id, error) => (request_id, error.kind),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_row_that_was_answered_is_not_sent_again_and_others_are() {
        let mut identities = resumed();
        assert_eq!(identities.decide("a", Ok(OLD)), Decision::Answered);
        assert_eq!(identities.decide("b", Ok(OLD)), Decision::Send(ids().of("b", 0)));
    }

    #[test]
    fn a_row_whose_content_has_changed_is_refused_under_an_id_of_its_own() {
        let mut identities = resumed();
        let (request_id, kind) = refused(identities.decide("a", Ok(NEW)));
        assert_eq!(kind, "content_changed");
        assert_eq!(request_id, ids().of("a", 1));
    }

    #[test]
    fn a_row_that_can_no_longer_be_rendered_does_not_shadow_its_answer() {
        let mut identities = resumed();
        let (request_id, kind) = refused(identities.decide("a", Err(RowError::new("null_value", "x"))));
        assert_eq!(kind, "null_value");
        assert_ne!(request_id, ids().of("a", 0));
    }

    #[test]
    fn among_rows_of_one_id_the_answered_one_is_found_in_whatever_order_they_come() {
        for order in [[OLD, NEW], [NEW, OLD]] {
            let mut identities = resumed();
            let decisions = order.map(|digest| identities.decide("a", Ok(digest)));
            let answered = decisions.iter().filter(|decision| **decision == Decision::Answered).count();
            assert_eq!(answered, 1, "{decisions:?}");
            for other in decisions.into_iter().filter(|decision| *decision != Decision::Answered) {
                assert_eq!(refused(other).0, ids().of("a", 1));
            }
        }
    }

    #[test]
    fn the_second_row_of_an_id_is_refused_whether_the_first_was_sent_now_or_before() {
        let mut identities = resumed();
        assert_eq!(identities.decide("a", Ok(OLD)), Decision::Answered);
        assert_eq!(refused(identities.decide("a", Ok(OLD))), (ids().of("a", 1), "duplicate_tracking_id"));
        assert_eq!(identities.decide("b", Ok(OLD)), Decision::Send(ids().of("b", 0)));
        assert_eq!(refused(identities.decide("b", Ok(OLD))), (ids().of("b", 1), "duplicate_tracking_id"));
        assert_eq!(refused(identities.decide("b", Ok(NEW))), (ids().of("b", 2), "duplicate_tracking_id"));
    }

    #[test]
    fn the_ids_are_counted_in_the_budget_and_given_back() {
        let budget = ByteBudget::new(1 << 20);
        let mut identities = identities(&budget);
        for row in 0..1000 {
            identities.decide(&row.to_string(), Ok(OLD));
        }
        identities.account();
        let used = budget.used();
        assert!((16_000..64_000).contains(&used), "{used} bytes for 1000 ids");
        drop(identities);
        assert_eq!(budget.used(), 0);
    }
}
