//! The columns that `json_response` picks from answers.

use std::sync::Arc;

use apisink_plan::FieldKind;
use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_schema::{DataType, Field, FieldRef};

use crate::mask::ExchangeMask;
use crate::parsed::FieldValue;

/// Their fields in the response schema.
pub(crate) fn fields(columns: &[(String, FieldKind)]) -> Vec<FieldRef> {
    let data_type = |kind: FieldKind| match kind {
        FieldKind::String => DataType::Utf8,
        FieldKind::Long => DataType::Int64,
        FieldKind::Double => DataType::Float64,
        FieldKind::Boolean => DataType::Boolean,
    };
    columns.iter().map(|(name, kind)| Arc::new(Field::new(name, data_type(*kind), true))).collect()
}

/// A column in the making.
pub(crate) enum FieldColumn {
    Text(StringBuilder),
    Long(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
}

impl FieldColumn {
    pub(crate) fn new(kind: FieldKind) -> Self {
        match kind {
            FieldKind::String => Self::Text(StringBuilder::new()),
            FieldKind::Long => Self::Long(Int64Builder::new()),
            FieldKind::Double => Self::Double(Float64Builder::new()),
            FieldKind::Boolean => Self::Boolean(BooleanBuilder::new()),
        }
    }

    /// Adds a value; what is not of the column's type is null.
    pub(crate) fn append(&mut self, value: Option<&FieldValue>, mask: &ExchangeMask) {
        match (self, value) {
            (Self::Text(column), Some(FieldValue::Text(text))) => column.append_value(mask.text(text)),
            (Self::Text(column), _) => column.append_null(),
            (Self::Long(column), Some(FieldValue::Long(value))) => column.append_value(*value),
            (Self::Long(column), _) => column.append_null(),
            (Self::Double(column), Some(FieldValue::Double(value))) => column.append_value(*value),
            (Self::Double(column), _) => column.append_null(),
            (Self::Boolean(column), Some(FieldValue::Boolean(value))) => column.append_value(*value),
            (Self::Boolean(column), _) => column.append_null(),
        }
    }

    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Long(mut column) => Arc::new(column.finish()),
            Self::Double(mut column) => Arc::new(column.finish()),
            Self::Boolean(mut column) => Arc::new(column.finish()),
        }
    }
}
