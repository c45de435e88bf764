//! Rows from NDJSON: one JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_json::ReaderBuilder;
use arrow_json::reader::infer_json_schema_from_iterator;
use arrow_schema::Schema;
use clap::Args;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// Rows that are looked at for the columns and their types.
const MOST_SEEN: usize = 1000;

/// The rows that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct RowArgs {
    /// The rows, one JSON object a line; `-` reads standard input
    #[arg(long, value_name = "NDJSON")]
    rows: PathBuf,

    /// How many of them, from the first
    #[arg(short, value_name = "COUNT", default_value_t = 3)]
    n: usize,
}

impl RowArgs {
    /// The first rows as one batch. Columns and types are those of the first thousand rows: a column is there if any of
    /// them has it.
    pub(crate) fn read(&self) -> Result<RecordBatch, Failure> {
        let name = self.rows.display();
        let failed = |why: String| Failure::Other(format!("{name}: {why}"));
        let reader: Box<dyn BufRead> = if self.rows.as_os_str() == "-" {
            Box::new(stdin().lock())
        } else {
            Box::new(BufReader::new(File::open(&self.rows).map_err(|error| failed(error.to_string()))?))
        };
        let rows = parse(reader, self.n.max(MOST_SEEN)).map_err(failed)?;
        if rows.is_empty() {
            return Err(failed("there are no rows in it: write one JSON object a line".to_owned()));
        }
        batch(&rows, self.n).map_err(|error| failed(error.to_string()))
    }
}

/// The names of the rows' columns.
pub(crate) fn columns(rows: &RecordBatch) -> Vec<String> {
    rows.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
}

fn parse(reader: impl BufRead, most: usize) -> Result<Vec<Value>, String> {
    let mut rows = Vec::new();
    for (index, line) in reader.lines().enumerate() {
        let line = line.map_err(|error| format!("line {}: {error}", index + 1))?;
        if line.trim().is_empty() {
            continue;
        }
        if rows.len() == most {
            break;
        }
        let row: Map<String, Value> = serde_json::from_str(&line)
            .map_err(|error| format!("line {} is no JSON object: {error}", index + 1))?;
        rows.push(Value::Object(row));
    }
    Ok(rows)
}

fn batch(rows: &[Value], n: usize) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let inferred = infer_json_schema_from_iterator(rows.iter().map(Ok))?;
    let schema = in_order(&inferred, rows);
    let wanted = &rows[..n.min(rows.len())];
    let mut decoder = ReaderBuilder::new(schema.clone())
        // A column of numbers and words is text, as Spark reads it.
        .with_coerce_primitive(true)
        .with_batch_size(wanted.len().max(1))
        .build_decoder()?;
    decoder.serialize(wanted)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
}

/// Columns in the order in which the rows name them: a whole row is sent in this order.
fn in_order(schema: &Schema, rows: &[Value]) -> Arc<Schema> {
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    let mut names: Vec<&String> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    fields.sort_by_key(|field| names.iter().position(|name| *name == field.name()));
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> String {
        let rows = parse(text.as_bytes(), 10).unwrap();
        let batch = batch(&rows, 1).unwrap();
        assert_eq!(batch.num_rows(), 1);
        let fields = batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.name(), field.data_type()));
        fields.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn columns_are_those_of_all_rows_in_the_order_in_which_they_come() {
        let text = "{\"z\": 1, \"a\": \"x\", \"n\": null}\n\n{\"z\": 2.5, \"b\": {\"c\": true}}\n";
        assert_eq!(schema(text), "z: Float64, a: Utf8, n: Null, b: Struct(\"c\": Boolean)");
    }

    #[test]
    fn a_line_that_is_no_object_is_named() {
        let refused = parse("{\"a\": 1}\n[1]\n".as_bytes(), 10).unwrap_err();
        assert!(refused.starts_with("line 2 is no JSON object"), "{refused}");
    }
}
