//! Who a row is: its tracking_id, its request_id, and whether it is to be sent under them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apisink_plan::{ColumnRef, Identity};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::answers::{Answer, digest_prefix};
use crate::budget::{ByteBudget, Reservation};
use crate::error::{RowError, RuntimeError};
use crate::request::digest_text;
use crate::request_id::RequestIds;
use crate::row::{Binder, ColumnIndex, Row};

/// Tells the rows of one partition apart. Equal tracking ids, and rows of equal content, always meet here: Spark clusters
/// rows by what tells them apart.
///
/// Holds 16 bytes per row of the partition, 24 per answer of earlier attempts until its row comes by, and 16 per
/// tracking_id that is left out; all are counted in the process's budget.
pub(super) struct Identities {
    key: Key,
    ids: RequestIds,
    partition: u32,
    seen: HashSet<Uuid>,
    answered: HashMap<Uuid, u64>,
    repeated: HashMap<Uuid, u64>,
    skipped: HashSet<Uuid>,
    null_ids: u64,
    content: Vec<u8>,
    budget: Arc<ByteBudget>,
    memory: Reservation,
}

/// What of a row tells it apart from others; a plan's [`Identity`], bound to a session's columns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Column(ColumnIndex),
    ColumnAndContent(ColumnIndex),
    Content,
}

impl Key {
    pub(super) fn bind(identity: &Identity, binder: &mut Binder<'_>) -> Result<Self, RuntimeError> {
        let mut column = |name: &String| {
            binder.column(&ColumnRef { path: vec![name.clone()], required: true, default: None })
        };
        let key = match identity {
            Identity::Column(name) => Key::Column(column(name)?),
            Identity::ColumnAndContent(name) => Key::ColumnAndContent(column(name)?),
            Identity::Content => Key::Content,
        };
        if !matches!(key, Key::Column(_)) {
            binder.whole_rows()?;
        }
        Ok(key)
    }
}

/// Who a row is, without its occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowId {
    pub(super) tracking_id: String,
    /// Digest of the row's content, where rows of one tracking_id are told apart by it.
    content: Option<String>,
}

/// What becomes of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is sent under this request_id.
    Send(Uuid),
    /// Its answer is in the journal.
    Answered,
    /// It is left out: an earlier run has delivered it.
    Skip,
    /// It becomes an invalid row under this request_id.
    Refuse(Uuid, RowError),
}

impl Identities {
    pub(super) fn new(key: Key, ids: RequestIds, partition: u32, budget: Arc<ByteBudget>) -> Self {
        Self {
            key,
            ids,
            partition,
            seen: HashSet::new(),
            answered: HashMap::new(),
            repeated: HashMap::new(),
            skipped: HashSet::new(),
            content: Vec::new(),
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

    /// Leaves rows of a tracking_id out, unless this run has an answer of theirs.
    pub(super) fn skip(&mut self, tracking_id: &str) {
        self.skipped.insert(self.ids.of(tracking_id, 0));
    }

    /// Who a row is, or the decision about a row that has no tracking_id.
    pub(super) fn row_id(&mut self, row: &Row<'_>) -> Result<RowId, Decision> {
        let read = match self.key {
            Key::Column(column) => read(column, row).map(|tracking_id| RowId { tracking_id, content: None }),
            Key::ColumnAndContent(column) => read(column, row)
                .map(|tracking_id| RowId { tracking_id, content: Some(self.content_of(row)) }),
            Key::Content => Ok(RowId { tracking_id: self.content_of(row), content: None }),
        };
        read.map_err(|error| {
            let request_id = self.ids.without_tracking_id(self.partition, self.null_ids);
            self.null_ids += 1;
            Decision::Refuse(request_id, error)
        })
    }

    /// Decides about a row by who it is and the digest of its request, or by why there is no request.
    pub(super) fn decide(&mut self, id: &RowId, digest: Result<&str, RowError>) -> Decision {
        match self.key {
            Key::Column(_) => self.decide_unique(id, digest),
            Key::ColumnAndContent(_) | Key::Content => self.decide_counted(id, digest),
        }
    }

    /// Where rows are told apart by their content: equal rows are counted, and one is as good as another.
    fn decide_counted(&mut self, id: &RowId, digest: Result<&str, RowError>) -> Decision {
        let first = self.request_id(id, 0);
        let request_id = if self.seen.insert(first) { first } else { self.next_occurrence(first, id) };
        match (digest, self.answered.remove(&request_id)) {
            (Ok(digest), Some(known)) if digest_prefix(digest) == known => Decision::Answered,
            // What was answered is not to be shadowed.
            (digest, Some(_)) => {
                let error = digest.err().unwrap_or_else(|| content_changed(&id.tracking_id));
                Decision::Refuse(self.next_occurrence(first, id), error)
            }
            (_, None) if self.skips(&id.tracking_id) => Decision::Skip,
            (Ok(_), None) => Decision::Send(request_id),
            (Err(error), None) => Decision::Refuse(request_id, error),
        }
    }

    /// Where the tracking_id alone tells rows apart.
    ///
    /// A row whose request_id was answered for another request is not sent: its idempotency key is used up, and the
    /// old answer is not its own. Where rows share a tracking_id, the one that was answered is found by its digest,
    /// whatever the order in which they arrive this time.
    fn decide_unique(&mut self, id: &RowId, digest: Result<&str, RowError>) -> Decision {
        let first = self.request_id(id, 0);
        if let Some(known) = self.answered.get(&first) {
            let error = match digest {
                Ok(digest) if digest_prefix(digest) == *known => {
                    self.answered.remove(&first);
                    self.seen.insert(first);
                    return Decision::Answered;
                }
                Ok(_) => content_changed(&id.tracking_id),
                Err(error) => error,
            };
            return Decision::Refuse(self.next_occurrence(first, id), error);
        }
        if self.skipped.contains(&first) {
            return Decision::Skip;
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
                "tracking_id {} stands in more than one row of the source; only one of them was sent",
                id.tracking_id
            ),
        );
        Decision::Refuse(self.next_occurrence(first, id), error)
    }

    /// Counts the memory of what is known now. Call it after each batch.
    pub(super) fn account(&mut self) {
        const ANSWER: usize = 24 + 1;
        const ID: usize = 16 + 1;
        let bytes = (self.answered.capacity() + self.repeated.capacity()) * ANSWER
            + (self.seen.capacity() + self.skipped.capacity()) * ID;
        if bytes > self.memory.bytes() {
            self.memory = self.budget.take(bytes);
        } else {
            self.memory.shrink_to(bytes);
        }
    }

    fn next_occurrence(&mut self, first: Uuid, id: &RowId) -> Uuid {
        let occurrence = self.repeated.entry(first).or_insert(0);
        *occurrence += 1;
        let occurrence = *occurrence;
        self.request_id(id, occurrence)
    }

    fn request_id(&self, id: &RowId, occurrence: u64) -> Uuid {
        match &id.content {
            Some(content) => self.ids.of_content(&id.tracking_id, content, occurrence),
            None => self.ids.of(&id.tracking_id, occurrence),
        }
    }

    /// Whether rows of a tracking_id are left out.
    fn skips(&self, tracking_id: &str) -> bool {
        !self.skipped.is_empty() && self.skipped.contains(&self.ids.of(tracking_id, 0))
    }

    /// 128 bits of the SHA-256 of the row's content, in hexadecimal.
    fn content_of(&mut self, row: &Row<'_>) -> String {
        self.content.clear();
        row.write_content(&mut self.content);
        digest_text(Sha256::new_with_prefix(&self.content))
    }
}

fn content_changed(tracking_id: &str) -> RowError {
    RowError::new(
        "content_changed",
        format!(
            "tracking_id {tracking_id} was answered in this run for a request with other content: the row has changed \
             since, or the source has several rows of this id; it was not sent"
        ),
    )
}

/// The tracking_id that a column holds.
fn read(column: ColumnIndex, row: &Row<'_>) -> Result<String, RowError> {
    let name = row.name(column);
    if row.is_null(column) {
        return Err(RowError::new(
            "null_id",
            format!("column {name} holds the tracking_id and is null in this row"),
        ));
    }
    let mut text = Vec::new();
    row.write_text(column, &mut text)?;
    String::from_utf8(text).map_err(|_| RowError::new("value", format!("column {name} is not UTF-8")))
}

#[cfg(test)]
mod tests {
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
        Identities::new(Key::Column(index), ids(), 0, budget.clone())
    }

    fn id(tracking_id: &str) -> RowId {
        RowId { tracking_id: tracking_id.to_owned(), content: None }
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
        assert_eq!(identities.decide(&id("a"), Ok(OLD)), Decision::Answered);
        assert_eq!(identities.decide(&id("b"), Ok(OLD)), Decision::Send(ids().of("b", 0)));
    }

    #[test]
    fn a_row_whose_content_has_changed_is_refused_under_an_id_of_its_own() {
        let mut identities = resumed();
        let (request_id, kind) = refused(identities.decide(&id("a"), Ok(NEW)));
        assert_eq!(kind, "content_changed");
        assert_eq!(request_id, ids().of("a", 1));
    }

    #[test]
    fn a_row_that_can_no_longer_be_rendered_does_not_shadow_its_answer() {
        let mut identities = resumed();
        let (request_id, kind) = refused(identities.decide(&id("a"), Err(RowError::new("null_value", "x"))));
        assert_eq!(kind, "null_value");
        assert_ne!(request_id, ids().of("a", 0));
    }

    #[test]
    fn among_rows_of_one_id_the_answered_one_is_found_in_whatever_order_they_come() {
        for order in [[OLD, NEW], [NEW, OLD]] {
            let mut identities = resumed();
            let decisions = order.map(|digest| identities.decide(&id("a"), Ok(digest)));
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
        assert_eq!(identities.decide(&id("a"), Ok(OLD)), Decision::Answered);
        assert_eq!(
            refused(identities.decide(&id("a"), Ok(OLD))),
            (ids().of("a", 1), "duplicate_tracking_id")
        );
        assert_eq!(identities.decide(&id("b"), Ok(OLD)), Decision::Send(ids().of("b", 0)));
        assert_eq!(
            refused(identities.decide(&id("b"), Ok(OLD))),
            (ids().of("b", 1), "duplicate_tracking_id")
        );
        assert_eq!(
            refused(identities.decide(&id("b"), Ok(NEW))),
            (ids().of("b", 2), "duplicate_tracking_id")
        );
    }

    #[test]
    fn the_ids_are_counted_in_the_budget_and_given_back() {
        let budget = ByteBudget::new(1 << 20);
        let mut identities = identities(&budget);
        for row in 0..1000 {
            identities.decide(&id(&row.to_string()), Ok(OLD));
        }
        identities.account();
        let used = budget.used();
        assert!((16_000..64_000).contains(&used), "{used} bytes for 1000 ids");
        drop(identities);
        assert_eq!(budget.used(), 0);
    }

    fn counted(answered: &[Uuid]) -> Identities {
        let mut identities = identities(&ByteBudget::new(1 << 20));
        identities.key = Key::Content;
        for request_id in answered {
            let answer = Answer {
                request_id: *request_id,
                digest: digest_prefix(OLD),
                attempts: 1,
                outcome: Outcome::Success,
            };
            assert!(identities.answered(&answer));
        }
        identities
    }

    #[test]
    fn equal_rows_are_counted_and_each_is_sent_under_the_same_ids_in_every_attempt() {
        let sent = |identities: &mut Identities| {
            let sent: Vec<_> = (0..3).map(|_| identities.decide(&id("c"), Ok(OLD))).collect();
            assert_eq!(sent, [0, 1, 2].map(|n| Decision::Send(ids().of("c", n))));
        };
        sent(&mut counted(&[]));
        sent(&mut counted(&[]));
    }

    #[test]
    fn of_equal_rows_as_many_are_sent_as_have_no_answer() {
        let mut identities = counted(&[ids().of("c", 1)]);
        let decisions: Vec<_> = (0..3).map(|_| identities.decide(&id("c"), Ok(OLD))).collect();
        assert_eq!(
            decisions,
            [Decision::Send(ids().of("c", 0)), Decision::Answered, Decision::Send(ids().of("c", 2))]
        );
    }

    #[test]
    fn rows_of_one_tracking_id_and_other_content_have_the_same_ids_in_whatever_order_they_come() {
        let row = |content: &str| RowId { tracking_id: "t".into(), content: Some(content.into()) };
        let ids_of = |order: [&str; 2]| {
            let mut identities = counted(&[]);
            order.map(|content| {
                (content.to_owned(), format!("{:?}", identities.decide(&row(content), Ok(OLD))))
            })
        };
        let (mut one, mut other) = (ids_of(["x", "y"]), ids_of(["y", "x"]));
        one.sort();
        other.sort();
        assert_eq!(one, other);
        assert_ne!(one[0].1, one[1].1);
    }

    #[test]
    fn a_tracking_id_that_was_delivered_is_left_out_unless_this_run_has_its_answer() {
        let mut identities = resumed();
        identities.skip("a");
        identities.skip("b");
        assert_eq!(identities.decide(&id("a"), Ok(OLD)), Decision::Answered);
        assert_eq!(identities.decide(&id("b"), Ok(OLD)), Decision::Skip);
        assert_eq!(identities.decide(&id("b"), Err(RowError::new("null_value", "x"))), Decision::Skip);
        assert_eq!(identities.decide(&id("c"), Ok(OLD)), Decision::Send(ids().of("c", 0)));
    }
}
