//! Who a row is: its tracking_id, its request_id, and whether both are its own.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::error::RowError;
use crate::request_id::RequestIds;
use crate::row::{ColumnIndex, Row};

/// Tells the rows of one partition apart. Equal tracking ids always meet here: Spark clusters rows by them.
///
/// Holds 16 bytes per row of the partition.
pub(super) struct Identities {
    id_column: ColumnIndex,
    ids: RequestIds,
    partition: u32,
    seen: HashSet<Uuid>,
    repeated: HashMap<Uuid, u64>,
    null_ids: u64,
}

/// The ids of a row; `known` says why it cannot be sent under them.
pub(super) struct Identity {
    pub(super) tracking_id: Option<String>,
    pub(super) request_id: Uuid,
    pub(super) known: Result<(), RowError>,
}

impl Identities {
    pub(super) fn new(id_column: ColumnIndex, ids: RequestIds, partition: u32) -> Self {
        Self { id_column, ids, partition, seen: HashSet::new(), repeated: HashMap::new(), null_ids: 0 }
    }

    pub(super) fn of(&mut self, row: &Row<'_>) -> Identity {
        let tracking_id = match self.tracking_id(row) {
            Ok(tracking_id) => tracking_id,
            Err(error) => {
                let request_id = self.ids.without_tracking_id(self.partition, self.null_ids);
                self.null_ids += 1;
                return Identity { tracking_id: None, request_id, known: Err(error) };
            }
        };
        let first = self.ids.of(&tracking_id, 0);
        if self.seen.insert(first) {
            return Identity { tracking_id: Some(tracking_id), request_id: first, known: Ok(()) };
        }
        let occurrence = self.repeated.entry(first).or_insert(0);
        *occurrence += 1;
        let error = RowError::new(
            "duplicate_tracking_id",
            format!(
                "tracking_id {tracking_id} stands in more than one row of the source; only the first was sent"
            ),
        );
        let request_id = self.ids.of(&tracking_id, *occurrence);
        Identity { tracking_id: Some(tracking_id), request_id, known: Err(error) }
    }

    fn tracking_id(&self, row: &Row<'_>) -> Result<String, RowError> {
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
