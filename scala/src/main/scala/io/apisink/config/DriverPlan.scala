package io.apisink.config

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._

/**
 * What the driver must know of a compiled config. Holds no secret.
 *
 * @param planDigest identifies plan and config without secret values
 * @param requestDigest identifies what shapes the requests; a run may not go on under another
 * @param partitions Spark tasks of the run
 * @param columns source columns that requests use, the id column among them; none means all
 * @param batchBytes aimed size of an Arrow batch of source rows, in bytes
 * @param flushMillis age at which a journal file is closed, in milliseconds
 * @param resendOnResume answers in the journal that are asked for again when a run goes on
 * @param memoryBudgetBytes native memory of an executor process, in bytes
 * @param idempotencyHeader header with the request id; none when switched off
 * @param unsupported keys that the config sets and a write does not carry out
 */
final case class DriverPlan(
    planDigest: String,
    requestDigest: String,
    partitions: Int,
    idColumn: String,
    columns: Option[Seq[String]],
    requiredColumns: Seq[String],
    sinkTable: Option[String],
    sinkPath: Option[String],
    sourceTable: Option[String],
    journalPath: Option[String],
    batchRows: Int,
    batchBytes: Long,
    flushMillis: Long,
    flushRows: Long,
    flushBytes: Long,
    resendOnResume: Seq[String],
    allowSpeculation: Boolean,
    memoryBudgetBytes: Long,
    idempotencyHeader: Option[String],
    warnings: Seq[String],
    unsupported: Seq[String]
)

object DriverPlan {

  /** Reads the third part of what the native `compileConfig` answers. */
  def fromJson(bytes: Array[Byte]): DriverPlan = {
    val json = Json.parse(bytes)
    val sink = json.need("sink")
    DriverPlan(
      planDigest = json.string("planDigest"),
      requestDigest = json.string("requestDigest"),
      partitions = json.int("partitions"),
      idColumn = json.string("idColumn"),
      columns = json.find("columns").map(_ => json.strings("columns")),
      requiredColumns = json.strings("requiredColumns"),
      sinkTable = sink.optionalString("table"),
      sinkPath = sink.optionalString("path"),
      sourceTable = json.find("source").flatMap(_.optionalString("table")),
      journalPath = json.optionalString("journalPath"),
      batchRows = json.int("batchRows"),
      batchBytes = json.long("batchBytes"),
      flushMillis = json.long("flushMillis"),
      flushRows = json.long("flushRows"),
      flushBytes = json.long("flushBytes"),
      resendOnResume = json.strings("resendOnResume"),
      allowSpeculation = json.need("allowSpeculation").asBoolean(),
      memoryBudgetBytes = json.long("memoryBudgetBytes"),
      idempotencyHeader = json.optionalString("idempotencyHeader"),
      warnings = json.strings("warnings"),
      unsupported = unsupported(sink)
    )
  }

  /** What the config language has and the sink does not do. */
  private def unsupported(sink: JsonNode): Seq[String] = Seq(
    "tables.sink.mode" -> (sink.string("mode") != "append"),
    "tables.sink.format" -> (sink.string("format") != "delta"),
    "tables.sink.merge" -> sink.find("merge").isDefined,
    "tables.sink.source_columns" -> sink.strings("sourceColumns").nonEmpty
  ).collect { case (key, true) => key }
}
