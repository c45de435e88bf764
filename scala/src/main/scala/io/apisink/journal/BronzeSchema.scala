package io.apisink.journal

import org.apache.spark.sql.types._

/**
 * The response row: schema of journal files and, with `ingested_at` added, of the sink. The native library fills it;
 * its `response_batch.rs` is the other half of this definition and a test compares the two.
 */
object BronzeSchema {

  /** Value of `schema_version` in rows of this schema. */
  val Version = 1

  /** When a row came into the sink: added where the append reads the journal. */
  val IngestedAt = "ingested_at"

  private val attempt = new StructType()
    .add("started_at", TimestampType)
    .add("status", IntegerType)
    .add("error", StringType)
    .add("elapsed_ms", DoubleType)
    .add("wait_ms", DoubleType)

  private val error = new StructType()
    .add("kind", StringType)
    .add("message", StringType)

  private val worker = new StructType()
    .add("executor_id", StringType)
    .add("host", StringType)
    .add("pid", LongType)
    .add("partition_id", IntegerType)
    .add("task_attempt", LongType)

  private val transport = new StructType()
    .add("protocol", StringType)
    .add("remote_addr", StringType)
    .add("connection_reused", BooleanType)
    .add("dns_ms", DoubleType)
    .add("connect_ms", DoubleType)
    .add("tls_ms", DoubleType)
    .add("ttfb_ms", DoubleType)
    .add("wait_ms", DoubleType)
    .add("total_ms", DoubleType)
    .add("connection_age_ms", DoubleType)
    .add("connection_uses", LongType)

  val schema: StructType = new StructType()
    .add("run_id", StringType, nullable = false)
    .add("request_id", StringType, nullable = false)
    .add("tracking_id", StringType)
    .add("outcome", StringType, nullable = false)
    .add("status_code", IntegerType)
    .add("method", StringType)
    .add("url", StringType)
    .add("attempts", IntegerType, nullable = false)
    .add("started_at", TimestampType)
    .add("elapsed_ms", DoubleType)
    .add("error", error)
    .add("request_headers", MapType(StringType, StringType))
    .add("request_body", StringType)
    .add("response_headers", MapType(StringType, StringType))
    .add("response_body", StringType)
    .add("response_body_is_base64", BooleanType)
    .add("response_body_truncated", BooleanType)
    .add("json", StringType)
    .add("attempt_log", ArrayType(attempt))
    .add("worker", worker)
    .add("transport", transport)
    .add("log", StringType)
    .add("request_digest", StringType)
    .add("schema_version", IntegerType, nullable = false)

  /** The response row with columns of the source and of answers after its own; they are null where they are not known. */
  def keeping(columns: StructType): StructType =
    StructType(schema.fields ++ columns.fields.map(c => StructField(c.name, c.dataType)))

  /** Rows of the journal as the sink has them. */
  def stamped(rows: StructType): StructType = rows.add(IngestedAt, TimestampType, nullable = false)

  /** Whether the sink's rows have a column of that name of their own; Delta's names ignore case. */
  def hasColumn(name: String): Boolean = (IngestedAt +: schema.fieldNames).exists(_.equalsIgnoreCase(name))
}
