//! Completed exchanges as rows of an Arrow batch: the bronze schema, in the order of `docs/reference/sink.md`.
//!
//! A column is null unless the middleware that owns it is in the chain, or the sink asks for it.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apisink_plan::SinkPlan;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, MapBuilder, MapFieldNames, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{Array, ArrayRef, Int32Array, ListArray, RecordBatch, StructArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::budget::Reservation;
use crate::error::RuntimeError;
use crate::exchange::{Exchange, FailureKind, Notes, Outcome};
use crate::field_columns::{self, FieldColumn};
use crate::mask::{ExchangeMask, Mask};
use crate::request::shown_value;
use crate::session::Task;
use crate::source_columns::{SourceColumns, SourceRow};

/// Version of the schema, in every row.
pub const SCHEMA_VERSION: i32 = 1;

/// The schema of response batches. The source columns that the sink keeps stand after these, then the columns picked from
/// answers.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("run_id", DataType::Utf8, false),
            Field::new("request_id", DataType::Utf8, false),
            Field::new("tracking_id", DataType::Utf8, true),
            Field::new("outcome", DataType::Utf8, false),
            Field::new("status_code", DataType::Int32, true),
            Field::new("method", DataType::Utf8, true),
            Field::new("url", DataType::Utf8, true),
            Field::new("attempts", DataType::Int32, false),
            Field::new("started_at", timestamp(), true),
            Field::new("elapsed_ms", DataType::Float64, true),
            Field::new("error", DataType::Struct(error_fields()), true),
            Field::new("request_headers", headers_type(), true),
            Field::new("request_body", DataType::Utf8, true),
            Field::new("response_headers", headers_type(), true),
            Field::new("response_body", DataType::Utf8, true),
            Field::new("response_body_is_base64", DataType::Boolean, true),
            Field::new("response_body_truncated", DataType::Boolean, true),
            Field::new("json", DataType::Utf8, true),
            Field::new("attempt_log", DataType::List(attempt_item()), true),
            Field::new("worker", DataType::Struct(worker_fields()), true),
            Field::new("transport", DataType::Struct(transport_fields()), true),
            Field::new("log", DataType::Utf8, true),
            Field::new("request_digest", DataType::Utf8, true),
            Field::new("schema_version", DataType::Int32, false),
        ]))
    });
    SCHEMA.clone()
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn nullable(fields: &[(&str, DataType)]) -> Fields {
    fields.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect()
}

fn error_fields() -> Fields {
    nullable(&[("kind", DataType::Utf8), ("message", DataType::Utf8)])
}

fn worker_fields() -> Fields {
    nullable(&[
        ("executor_id", DataType::Utf8),
        ("host", DataType::Utf8),
        ("pid", DataType::Int64),
        ("partition_id", DataType::Int32),
        ("task_attempt", DataType::Int64),
    ])
}

fn transport_fields() -> Fields {
    nullable(&[
        ("protocol", DataType::Utf8),
        ("remote_addr", DataType::Utf8),
        ("connection_reused", DataType::Boolean),
        ("dns_ms", DataType::Float64),
        ("connect_ms", DataType::Float64),
        ("tls_ms", DataType::Float64),
        ("ttfb_ms", DataType::Float64),
        ("wait_ms", DataType::Float64),
        ("total_ms", DataType::Float64),
        ("connection_age_ms", DataType::Float64),
        ("connection_uses", DataType::Int64),
    ])
}

fn attempt_item() -> Arc<Field> {
    let fields = nullable(&[
        ("started_at", timestamp()),
        ("status", DataType::Int32),
        ("error", DataType::Utf8),
        ("elapsed_ms", DataType::Float64),
        ("wait_ms", DataType::Float64),
    ]);
    Arc::new(Field::new("element", DataType::Struct(fields), true))
}

fn headers_builder() -> MapBuilder<StringBuilder, StringBuilder> {
    // Spark's names for the parts of a map.
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
}

fn headers_type() -> DataType {
    headers_builder().finish().data_type().clone()
}

/// What all rows of a session have in common.
pub struct ResponseContext {
    task: Task,
    sink: SinkPlan,
    response_headers: Vec<HeaderName>,
    source: SourceColumns,
    schema: SchemaRef,
}

impl ResponseContext {
    /// The context of a task, a sink and the source columns that it keeps.
    pub(crate) fn new(task: Task, sink: SinkPlan, source: SourceColumns) -> Self {
        let response_headers = sink.response_headers.iter().filter_map(|name| name.parse().ok()).collect();
        let fields: Vec<FieldRef> = schema().fields().iter().chain(source.fields()).cloned().collect();
        let picked = field_columns::fields(&sink.response_fields);
        let fields: Vec<FieldRef> = fields.into_iter().chain(picked).collect();
        Self { task, sink, response_headers, source, schema: Arc::new(Schema::new(fields)) }
    }
}

/// A response batch in the making.
pub struct ResponseBatch<'a> {
    context: &'a ResponseContext,
    mask: &'a Mask,
    rows: usize,
    request_id: StringBuilder,
    tracking_id: StringBuilder,
    outcome: StringBuilder,
    status_code: Int32Builder,
    method: StringBuilder,
    url: StringBuilder,
    attempts: Int32Builder,
    started_at: TimestampMicrosecondBuilder,
    elapsed_ms: Float64Builder,
    error: ErrorColumn,
    request_headers: MapBuilder<StringBuilder, StringBuilder>,
    request_body: StringBuilder,
    response_headers: MapBuilder<StringBuilder, StringBuilder>,
    response_body: StringBuilder,
    response_body_is_base64: BooleanBuilder,
    response_body_truncated: BooleanBuilder,
    attempt_log: AttemptLogColumn,
    worker: WorkerColumn,
    transport: TransportColumn,
    json: StringBuilder,
    log: StringBuilder,
    request_digest: StringBuilder,
    source: Vec<Option<SourceRow>>,
    fields: Vec<FieldColumn>,
    memory: Reservation,
}

impl<'a> ResponseBatch<'a> {
    /// An empty batch that expects so many rows with bodies of so many bytes in all. The mask is for what APIs echo; `memory`
    /// takes over what the rows hold.
    pub(crate) fn new(
        context: &'a ResponseContext,
        mask: &'a Mask,
        rows: usize,
        body_bytes: usize,
        memory: Reservation,
    ) -> Self {
        let text = || StringBuilder::with_capacity(rows, rows * 40);
        Self {
            context,
            mask,
            rows: 0,
            request_id: text(),
            tracking_id: text(),
            outcome: text(),
            status_code: Int32Builder::with_capacity(rows),
            method: text(),
            url: text(),
            attempts: Int32Builder::with_capacity(rows),
            started_at: timestamps(),
            elapsed_ms: Float64Builder::with_capacity(rows),
            error: ErrorColumn::default(),
            request_headers: headers_builder(),
            request_body: StringBuilder::new(),
            response_headers: headers_builder(),
            response_body: StringBuilder::with_capacity(rows, body_bytes),
            response_body_is_base64: BooleanBuilder::with_capacity(rows),
            response_body_truncated: BooleanBuilder::with_capacity(rows),
            attempt_log: AttemptLogColumn::default(),
            worker: WorkerColumn::default(),
            transport: TransportColumn::default(),
            json: StringBuilder::new(),
            log: StringBuilder::new(),
            request_digest: text(),
            source: Vec::with_capacity(rows),
            fields: context.sink.response_fields.iter().map(|(_, kind)| FieldColumn::new(*kind)).collect(),
            memory,
        }
    }

    /// Adds a row. What it was made of is gone before the next one is copied.
    pub(crate) fn append(&mut self, exchange: Exchange) {
        self.encode(&exchange);
        self.memory.join(exchange.memory);
    }

    fn encode(&mut self, exchange: &Exchange) {
        let sent = exchange.request_digest.is_some();
        let mask = self.mask.of(&exchange.request.headers);
        self.rows += 1;
        let mut buffer = uuid::Uuid::encode_buffer();
        self.request_id.append_value(exchange.request_id.hyphenated().encode_lower(&mut buffer));
        self.tracking_id.append_option(exchange.tracking_id.as_deref());
        self.outcome.append_value(exchange.outcome().word());
        self.method.append_value(exchange.request.method.as_str());
        self.url.append_option(sent.then(|| exchange.request.display_url()));
        self.attempts.append_value(exchange.attempts.len() as i32);
        self.started_at.append_value(micros(exchange.started_at));
        self.elapsed_ms.append_option(exchange.notes.elapsed.map(millis));
        self.error.append(exchange, &mask);
        if self.context.sink.request_headers && sent {
            append_headers(&mut self.request_headers, exchange.request.headers.iter(), &mask);
        } else {
            append_no_headers(&mut self.request_headers);
        }
        if self.context.sink.request_body && sent {
            let body = mask.body(exchange.request.shown_body(), false);
            self.request_body.append_value(String::from_utf8_lossy(&body));
        } else {
            self.request_body.append_null();
        }
        match &exchange.result {
            Some(Ok(response)) => {
                self.status_code.append_value(i32::from(response.status.as_u16()));
                self.append_response_headers(&response.headers, &mask);
                let body = mask.body(&response.body, response.truncated);
                let text = std::str::from_utf8(&body);
                let is_json = exchange.parsed.as_ref().is_some_and(|parsed| parsed.json_column);
                self.json.append_option(text.ok().filter(|_| is_json));
                match text {
                    Ok(text) => self.response_body.append_value(text),
                    Err(_) => self.response_body.append_value(STANDARD.encode(&body)),
                }
                self.response_body_is_base64.append_value(text.is_err());
                self.response_body_truncated.append_value(response.truncated);
            }
            _ => {
                self.status_code.append_null();
                append_no_headers(&mut self.response_headers);
                self.json.append_null();
                self.response_body.append_null();
                self.response_body_is_base64.append_null();
                self.response_body_truncated.append_null();
            }
        }
        self.attempt_log.append(exchange, &mask);
        self.worker.append(&exchange.notes, &self.context.task);
        self.transport.append(exchange);
        self.log.append_option(exchange.notes.log.as_deref().map(|line| mask.text(line)));
        self.request_digest.append_option(exchange.request_digest.as_deref());
        self.source.push(exchange.source.clone());
        for (index, column) in self.fields.iter_mut().enumerate() {
            let value = exchange.parsed.as_ref().and_then(|parsed| parsed.fields.get(index)?.as_ref());
            column.append(value, &mask);
        }
    }

    fn append_response_headers(&mut self, headers: &HeaderMap, mask: &ExchangeMask) {
        if self.context.response_headers.is_empty() {
            return append_no_headers(&mut self.response_headers);
        }
        let wanted = self
            .context
            .response_headers
            .iter()
            .flat_map(|name| headers.get_all(name).into_iter().map(move |value| (name, value)));
        append_headers(&mut self.response_headers, wanted, mask);
    }

    /// The finished batch.
    pub fn finish(mut self) -> Result<RecordBatch, RuntimeError> {
        let rows = self.rows;
        let run_id = std::iter::repeat_n(self.context.task.run_id.as_str(), rows);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(arrow_array::StringArray::from_iter_values(run_id)),
            Arc::new(self.request_id.finish()),
            Arc::new(self.tracking_id.finish()),
            Arc::new(self.outcome.finish()),
            Arc::new(self.status_code.finish()),
            Arc::new(self.method.finish()),
            Arc::new(self.url.finish()),
            Arc::new(self.attempts.finish()),
            Arc::new(self.started_at.finish()),
            Arc::new(self.elapsed_ms.finish()),
            self.error.finish()?,
            Arc::new(self.request_headers.finish()),
            Arc::new(self.request_body.finish()),
            Arc::new(self.response_headers.finish()),
            Arc::new(self.response_body.finish()),
            Arc::new(self.response_body_is_base64.finish()),
            Arc::new(self.response_body_truncated.finish()),
            Arc::new(self.json.finish()),
            self.attempt_log.finish()?,
            self.worker.finish()?,
            self.transport.finish()?,
            Arc::new(self.log.finish()),
            Arc::new(self.request_digest.finish()),
            Arc::new(holding(self.memory, vec![SCHEMA_VERSION; rows])),
        ];
        columns.extend(self.context.source.gather(&self.source)?);
        columns.extend(self.fields.into_iter().map(FieldColumn::finish));
        RecordBatch::try_new(self.context.schema.clone(), columns)
            .map_err(|e| RuntimeError::Batch(e.to_string()))
    }
}

/// A column whose buffer holds memory of the budget as well, and with it the batch: its buffers are released together.
fn holding(memory: Reservation, numbers: Vec<i32>) -> Int32Array {
    struct Holding(Buffer, #[expect(dead_code, reason = "held")] Reservation);

    impl AsRef<[u8]> for Holding {
        fn as_ref(&self) -> &[u8] {
            self.0.as_slice()
        }
    }

    let rows = numbers.len();
    let holding = Holding(Buffer::from_vec(numbers), memory);
    Int32Array::new(ScalarBuffer::new(Bytes::from_owner(holding).into(), 0, rows), None)
}

fn timestamps() -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_timezone("UTC")
}

fn micros(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

fn millis(duration: Duration) -> f64 {
    // Whole microseconds: what is below is noise, and short numbers compress better.
    duration.as_micros() as f64 / 1e3
}

fn structure(
    fields: Fields,
    columns: Vec<ArrayRef>,
    mut present: NullBufferBuilder,
) -> Result<StructArray, RuntimeError> {
    StructArray::try_new(fields, columns, present.finish()).map_err(|e| RuntimeError::Batch(e.to_string()))
}

fn append_no_headers(builder: &mut MapBuilder<StringBuilder, StringBuilder>) {
    // Keys and values are of equal length by construction.
    let _ = builder.append(false);
}

/// Repeated headers are joined by commas (RFC 9110, 5.2); credentials and cookies are masked.
fn append_headers<'h>(
    builder: &mut MapBuilder<StringBuilder, StringBuilder>,
    headers: impl Iterator<Item = (&'h HeaderName, &'h HeaderValue)>,
    mask: &ExchangeMask,
) {
    let mut last: Option<(&HeaderName, String)> = None;
    for (name, value) in headers {
        let shown = shown_value(name, value);
        let text = mask.text(&shown);
        match &mut last {
            Some((known, joined)) if *known == name => {
                joined.push_str(", ");
                joined.push_str(&text);
            }
            _ => {
                if let Some((name, joined)) = last.replace((name, text.into_owned())) {
                    builder.keys().append_value(name.as_str());
                    builder.values().append_value(joined);
                }
            }
        }
    }
    if let Some((name, joined)) = last {
        builder.keys().append_value(name.as_str());
        builder.values().append_value(joined);
    }
    let _ = builder.append(true);
}

struct ErrorColumn {
    kind: StringBuilder,
    message: StringBuilder,
    present: NullBufferBuilder,
}

impl Default for ErrorColumn {
    fn default() -> Self {
        Self { kind: StringBuilder::new(), message: StringBuilder::new(), present: NullBufferBuilder::new(0) }
    }
}

impl ErrorColumn {
    fn append(&mut self, exchange: &Exchange, mask: &ExchangeMask) {
        let error = match &exchange.result {
            _ if exchange.verdict().is_some() => exchange
                .verdict()
                .filter(|verdict| verdict.outcome != Outcome::Success)
                .map(|verdict| (verdict.kind, verdict.message.clone())),
            Some(Ok(response)) if response.status.is_success() => None,
            Some(Ok(response)) => Some(("http_status", response.status.to_string())),
            Some(Err(failure)) => Some((FailureKind::word(failure.kind), failure.message.clone())),
            None => Some(("unknown", "no middleware of the chain sent the request".to_owned())),
        };
        self.present.append(error.is_some());
        self.kind.append_option(error.as_ref().map(|(kind, _)| *kind));
        self.message.append_option(error.as_ref().map(|(_, message)| mask.text(message)));
    }

    fn finish(mut self) -> Result<ArrayRef, RuntimeError> {
        let columns: Vec<ArrayRef> = vec![Arc::new(self.kind.finish()), Arc::new(self.message.finish())];
        Ok(Arc::new(structure(error_fields(), columns, self.present)?))
    }
}

struct WorkerColumn {
    executor_id: StringBuilder,
    host: StringBuilder,
    pid: Int64Builder,
    partition_id: Int32Builder,
    task_attempt: Int64Builder,
    present: NullBufferBuilder,
}

impl Default for WorkerColumn {
    fn default() -> Self {
        Self {
            executor_id: StringBuilder::new(),
            host: StringBuilder::new(),
            pid: Int64Builder::new(),
            partition_id: Int32Builder::new(),
            task_attempt: Int64Builder::new(),
            present: NullBufferBuilder::new(0),
        }
    }
}

impl WorkerColumn {
    fn append(&mut self, notes: &Notes, task: &Task) {
        let task = notes.worker.then_some(task);
        self.present.append(task.is_some());
        self.executor_id.append_option(task.map(|t| t.executor_id.as_str()));
        self.host.append_option(task.map(|t| t.host.as_str()));
        self.pid.append_option(task.map(|t| t.pid));
        self.partition_id.append_option(task.map(|t| t.partition_id as i32));
        self.task_attempt.append_option(task.map(|t| t.task_attempt_id));
    }

    fn finish(mut self) -> Result<ArrayRef, RuntimeError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.executor_id.finish()),
            Arc::new(self.host.finish()),
            Arc::new(self.pid.finish()),
            Arc::new(self.partition_id.finish()),
            Arc::new(self.task_attempt.finish()),
        ];
        Ok(Arc::new(structure(worker_fields(), columns, self.present)?))
    }
}

struct TransportColumn {
    protocol: StringBuilder,
    remote_addr: StringBuilder,
    reused: BooleanBuilder,
    phases: [Float64Builder; 6],
    age: Float64Builder,
    uses: Int64Builder,
    present: NullBufferBuilder,
}

impl Default for TransportColumn {
    fn default() -> Self {
        Self {
            protocol: StringBuilder::new(),
            remote_addr: StringBuilder::new(),
            reused: BooleanBuilder::new(),
            phases: std::array::from_fn(|_| Float64Builder::new()),
            age: Float64Builder::new(),
            uses: Int64Builder::new(),
            present: NullBufferBuilder::new(0),
        }
    }
}

impl TransportColumn {
    fn append(&mut self, exchange: &Exchange) {
        let notes = &exchange.notes;
        let facts = &notes.facts;
        let connection = notes.connection.then_some(facts);
        self.present.append(notes.connection || notes.phases);
        self.protocol.append_option(connection.and_then(|f| f.protocol));
        self.remote_addr.append_option(connection.and_then(|f| f.remote_addr).map(|a| a.to_string()));
        self.reused.append_option(connection.and_then(|f| f.reused));
        // Of a row that was never sent there are none.
        let last = exchange.attempts.last();
        let (wait, total) = (last.map(|attempt| attempt.wait), last.map(|attempt| attempt.elapsed));
        let phases = [facts.dns, facts.connect, facts.tls, facts.first_byte, wait, total];
        for (builder, phase) in self.phases.iter_mut().zip(phases) {
            builder.append_option(phase.filter(|_| notes.phases).map(millis));
        }
        self.age.append_option(connection.and_then(|f| f.connection_age).map(millis));
        self.uses
            .append_option(connection.and_then(|f| f.connection_uses).and_then(|n| i64::try_from(n).ok()));
    }

    fn finish(mut self) -> Result<ArrayRef, RuntimeError> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.protocol.finish()),
            Arc::new(self.remote_addr.finish()),
            Arc::new(self.reused.finish()),
        ];
        for builder in &mut self.phases {
            columns.push(Arc::new(builder.finish()));
        }
        columns.push(Arc::new(self.age.finish()));
        columns.push(Arc::new(self.uses.finish()));
        Ok(Arc::new(structure(transport_fields(), columns, self.present)?))
    }
}

/// The attempt log: null for one clean attempt, which `started_at` and `elapsed_ms` describe already.
struct AttemptLogColumn {
    started_at: TimestampMicrosecondBuilder,
    status: Int32Builder,
    error: StringBuilder,
    elapsed_ms: Float64Builder,
    wait_ms: Float64Builder,
    lengths: Vec<usize>,
    present: NullBufferBuilder,
}

impl Default for AttemptLogColumn {
    fn default() -> Self {
        Self {
            started_at: timestamps(),
            status: Int32Builder::new(),
            error: StringBuilder::new(),
            elapsed_ms: Float64Builder::new(),
            wait_ms: Float64Builder::new(),
            lengths: Vec::new(),
            present: NullBufferBuilder::new(0),
        }
    }
}

impl AttemptLogColumn {
    fn append(&mut self, exchange: &Exchange, mask: &ExchangeMask) {
        let attempts = match exchange.attempts.as_slice() {
            [] => &[],
            [only] if only.error.is_none() => &[],
            all => all,
        };
        self.present.append(!attempts.is_empty());
        self.lengths.push(attempts.len());
        for attempt in attempts {
            self.started_at.append_value(micros(attempt.started_at));
            self.status.append_option(attempt.status.map(|status| i32::from(status.as_u16())));
            self.error.append_option(attempt.error.as_deref().map(|error| mask.text(error)));
            self.elapsed_ms.append_value(millis(attempt.elapsed));
            self.wait_ms.append_value(millis(attempt.wait));
        }
    }

    fn finish(mut self) -> Result<ArrayRef, RuntimeError> {
        let item = attempt_item();
        let DataType::Struct(fields) = item.data_type() else {
            return Err(RuntimeError::Batch("the attempt log has another shape than its schema".into()));
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.started_at.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.error.finish()),
            Arc::new(self.elapsed_ms.finish()),
            Arc::new(self.wait_ms.finish()),
        ];
        let values = StructArray::try_new(fields.clone(), columns, None)
            .map_err(|e| RuntimeError::Batch(e.to_string()))?;
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        ListArray::try_new(item, offsets, Arc::new(values), self.present.finish())
            .map(|list| Arc::new(list) as ArrayRef)
            .map_err(|e| RuntimeError::Batch(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use apisink_plan::RESPONSE_COLUMNS;

    #[test]
    fn the_plan_knows_the_names_that_are_taken() {
        let schema = super::schema();
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let (appended, own) = RESPONSE_COLUMNS.split_last().unwrap();
        assert_eq!((own, *appended), (names.as_slice(), "ingested_at"));
    }
}
