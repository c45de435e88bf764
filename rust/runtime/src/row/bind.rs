//! Binding column references to a schema, and opening batches by that binding.

use std::collections::HashMap;

use apisink_plan::{ColumnRef, DefaultValue};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Schema};

use super::Column;
use crate::error::{RowError, RuntimeError};

/// Index of a bound column within its session's [`Binder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnIndex(usize);

/// Collects the columns that a session's chain reads, each once.
pub struct Binder<'a> {
    schema: &'a Schema,
    known: HashMap<(Vec<String>, Option<DefaultValue>), ColumnIndex>,
    paths: Vec<BoundPath>,
    rows: bool,
}

/// A column's place in every batch of the session: field indices from the root.
#[derive(Debug)]
struct BoundPath {
    name: String,
    indices: Vec<usize>,
    default: Option<DefaultValue>,
}

impl<'a> Binder<'a> {
    /// A binder for batches of a schema.
    pub fn new(schema: &'a Schema) -> Self {
        Self { schema, known: HashMap::new(), paths: Vec::new(), rows: false }
    }

    /// Binds a reference; the same reference always yields the same index.
    pub fn column(&mut self, column: &ColumnRef) -> Result<ColumnIndex, RuntimeError> {
        let key = (column.path.clone(), column.default.clone());
        if let Some(index) = self.known.get(&key) {
            return Ok(*index);
        }
        let name = column.path.join(".");
        let mut fields = self.schema.fields();
        let mut indices = Vec::with_capacity(column.path.len());
        for (depth, part) in column.path.iter().enumerate() {
            let (index, field) = fields.find(part).ok_or_else(|| {
                let known: Vec<_> = fields.iter().map(|f| f.name().as_str()).collect();
                RuntimeError::Schema(format!("there is no column {name}; there are {}", known.join(", ")))
            })?;
            indices.push(index);
            if depth + 1 < column.path.len() {
                fields = match field.data_type() {
                    DataType::Struct(inner) => inner,
                    other => {
                        return Err(RuntimeError::Schema(format!(
                            "{name} asks for a field within {part}, which is {other}, not a struct"
                        )));
                    }
                };
            } else {
                Column::check(field.data_type())
                    .map_err(|why| RuntimeError::Schema(format!("column {name}: {why}")))?;
            }
        }
        let index = ColumnIndex(self.paths.len());
        self.paths.push(BoundPath { name, indices, default: column.default.clone() });
        self.known.insert(key, index);
        Ok(index)
    }

    /// Says that whole rows are read ([`Row::write_row_json`], [`Row::write_content`]).
    pub fn whole_rows(&mut self) -> Result<(), RuntimeError> {
        for field in self.schema.fields() {
            Column::check(field.data_type())
                .map_err(|why| RuntimeError::Schema(format!("column {}: {why}", field.name())))?;
        }
        self.rows = true;
        Ok(())
    }

    /// The finished binding, which opens batches.
    pub fn finish(self) -> Binding {
        Binding { paths: self.paths, rows: self.rows }
    }
}

/// A finished binding.
#[derive(Debug)]
pub struct Binding {
    paths: Vec<BoundPath>,
    rows: bool,
}

impl Binding {
    /// Opens a batch of the bound schema.
    pub fn open<'b>(&'b self, batch: &'b RecordBatch) -> Result<RowBatch<'b>, RuntimeError> {
        let columns = self
            .paths
            .iter()
            .map(|path| BatchColumn::open(path, batch))
            .collect::<Result<Vec<_>, _>>()
            .map_err(RuntimeError::Schema)?;
        let whole = if self.rows {
            batch
                .schema_ref()
                .fields()
                .iter()
                .zip(batch.columns())
                .map(|(field, array)| Ok((field.name().clone(), Column::new(array.as_ref())?)))
                .collect::<Result<Vec<_>, String>>()
                .map_err(RuntimeError::Schema)?
        } else {
            Vec::new()
        };
        Ok(RowBatch { columns, whole })
    }
}

struct BatchColumn<'b> {
    name: &'b str,
    parents: Vec<&'b StructArray>,
    column: Column<'b>,
    default: Option<&'b DefaultValue>,
}

impl<'b> BatchColumn<'b> {
    fn open(path: &'b BoundPath, batch: &'b RecordBatch) -> Result<Self, String> {
        let wrong =
            || format!("the batch has another shape than the session's schema at column {}", path.name);
        let mut indices = path.indices.iter();
        let mut array = indices.next().and_then(|i| batch.columns().get(*i)).ok_or_else(wrong)?;
        let mut parents = Vec::new();
        for index in indices {
            let parent = array.as_any().downcast_ref::<StructArray>().ok_or_else(wrong)?;
            parents.push(parent);
            array = parent.columns().get(*index).ok_or_else(wrong)?;
        }
        let column = Column::new(array.as_ref())?;
        Ok(Self { name: &path.name, parents, column, default: path.default.as_ref() })
    }

    /// Whether there is no value at a row of the source.
    fn lacks(&self, row: usize) -> bool {
        self.parents.iter().any(|parent| parent.is_null(row)) || self.column.is_null(row)
    }
}

/// An opened batch.
pub struct RowBatch<'b> {
    columns: Vec<BatchColumn<'b>>,
    whole: Vec<(String, Column<'b>)>,
}

impl<'b> RowBatch<'b> {
    /// One row of the batch.
    pub fn row<'r>(&'r self, index: usize) -> Row<'r> {
        Row { batch: self, index }
    }
}

/// A row within an opened batch.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    batch: &'r RowBatch<'r>,
    index: usize,
}

impl Row<'_> {
    fn column(&self, column: ColumnIndex) -> &BatchColumn<'_> {
        &self.batch.columns[column.0]
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// All columns of the batch, by name. Needs [`Binder::whole_rows`].
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &Column<'_>)> {
        self.batch.whole.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// The column's name as the config writes it, for messages.
    pub fn name(&self, column: ColumnIndex) -> &str {
        self.column(column).name
    }

    /// Whether the value is null, or lies in a struct that is null, and nothing stands for it.
    pub fn is_null(&self, column: ColumnIndex) -> bool {
        let column = self.column(column);
        column.default.is_none() && column.lacks(self.index)
    }

    /// Appends the text form of a value; nothing for null.
    pub fn write_text(&self, column: ColumnIndex, out: &mut Vec<u8>) -> Result<(), RowError> {
        let column = self.column(column);
        if column.lacks(self.index) {
            out.extend_from_slice(column.default.map_or("", |default| &default.text).as_bytes());
            return Ok(());
        }
        column.column.write_text(self.index, out).map_err(|why| unrenderable(column.name, &why))
    }

    /// Whether the value is an array.
    pub fn is_array(&self, column: ColumnIndex) -> bool {
        matches!(self.column(column).column, Column::List(..)) && !self.column(column).lacks(self.index)
    }

    /// Hands over the text form of each item of an array that is not null.
    pub fn each_text(&self, column: ColumnIndex, mut item: impl FnMut(&[u8])) -> Result<(), RowError> {
        let column = self.column(column);
        let Column::List(array, items) = &column.column else { return Ok(()) };
        let offsets = array.value_offsets();
        let mut text = Vec::new();
        for index in offsets[self.index] as usize..offsets[self.index + 1] as usize {
            if !items.is_null(index) {
                text.clear();
                items.write_text(index, &mut text).map_err(|why| unrenderable(column.name, &why))?;
                item(&text);
            }
        }
        Ok(())
    }

    /// Appends the JSON form of a value; `null` for null.
    pub fn write_json(&self, column: ColumnIndex, out: &mut Vec<u8>) -> Result<(), RowError> {
        let column = self.column(column);
        if column.lacks(self.index) {
            out.extend_from_slice(column.default.map_or("null", |default| &default.json).as_bytes());
            return Ok(());
        }
        column.column.write_json(self.index, out).map_err(|why| unrenderable(column.name, &why))
    }

    /// The value as a template sees it.
    pub fn template_value(&self, column: ColumnIndex) -> Result<minijinja::Value, RowError> {
        let column = self.column(column);
        match column.default {
            Some(default) if column.lacks(self.index) => Ok(default_value(default)),
            None if column.lacks(self.index) => Ok(minijinja::Value::from(())),
            _ => column.column.template_value(self.index).map_err(|why| unrenderable(column.name, &why)),
        }
    }

    /// Appends the whole row as a JSON object, columns in the source's order. Needs [`Binder::whole_rows`].
    pub fn write_row_json(&self, out: &mut Vec<u8>) -> Result<(), RowError> {
        out.push(b'{');
        for (position, (name, column)) in self.columns().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            super::json::write_string(name, out);
            out.push(b':');
            column.write_json(self.index, out).map_err(|why| unrenderable(name, &why))?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn default_value(default: &DefaultValue) -> minijinja::Value {
    match serde_json::from_str(&default.json) {
        Ok(serde_json::Value::Bool(value)) => value.into(),
        Ok(serde_json::Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(fraction)) => fraction.into(),
            (None, None) => default.text.as_str().into(),
        },
        _ => default.text.as_str().into(),
    }
}

fn unrenderable(column: &str, why: &str) -> RowError {
    RowError::new("value", format!("column {column}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use apisink_plan::{ColumnRef, DefaultValue};
    use arrow_array::{RecordBatch, StringArray};
    use arrow_schema::{DataType, Field, Schema};

    use super::Binder;

    #[test]
    fn a_default_stands_for_a_null_where_it_is_asked_for() {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Utf8, true)]));
        let values = StringArray::from(vec![None, Some("here")]);
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(values)]).unwrap();
        let bare = ColumnRef { path: vec!["a".into()], required: false, default: None };
        let default = Some(DefaultValue { text: "none".into(), json: "\"none\"".into() });
        let mut binder = Binder::new(&schema);
        let without = binder.column(&bare).unwrap();
        let with = binder.column(&ColumnRef { default, ..bare }).unwrap();
        let binding = binder.finish();
        let opened = binding.open(&batch).unwrap();
        let written = |row, column| {
            let (row, mut text, mut json) = (opened.row(row), Vec::new(), Vec::new());
            row.write_text(column, &mut text).unwrap();
            row.write_json(column, &mut json).unwrap();
            (row.is_null(column), String::from_utf8(text).unwrap(), String::from_utf8(json).unwrap())
        };
        assert_eq!(written(0, without), (true, String::new(), "null".into()));
        assert_eq!(written(0, with), (false, "none".into(), "\"none\"".into()));
        assert_eq!(written(1, with), (false, "here".into(), "\"here\"".into()));
    }
}
