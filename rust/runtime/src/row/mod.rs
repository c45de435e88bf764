//! A source row, seen where it lies: in its Arrow batch.
//!
//! A session binds the plan's column references to the source's schema once ([`Binder`]); each batch is opened once
//! ([`RowBatch`]); rows are then read in place, and what a request needs of them is copied out. No reference into a
//! batch outlives the call that brought it.

mod bind;
mod column;
mod content;
mod json;
mod text;
mod value;

pub use bind::{Binder, Binding, ColumnIndex, Row, RowBatch};
pub use column::Column;
