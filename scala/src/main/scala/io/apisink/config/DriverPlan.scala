package io.apisink.config

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._
import io.apisink.control.SendingWindow

/**
 * What the driver must know of a compiled config. Holds no secret.
 *
 * @param planDigest identifies plan and config without secret values
 * @param requestDigest identifies what shapes the requests; a run may not go on under another
 * @param partitions Spark tasks of the run
 * @param idColumn column that holds the tracking_id; none when rows are known by their content
 * @param columns source columns that requests use, the id column among them; none means all
 * @param batchBytes aimed size of an Arrow batch of source rows, in bytes
 * @param flushMillis age at which a journal file is closed, in milliseconds
 * @param skipDelivered which answers of the sink make a row one that is left out: `success` or `any`; none for no answer
 * @param resendOnResume answers in the journal that are asked for again when a run goes on
 * @param failWhen what stops the run early
 * @param generalLimit name of the rate limit of the attempts that no other one is for; none when those have none
 * @param otherLimits names of the rate limits of some hosts and paths
 * @param sendingWindow the hours in which rows are sent; none for all
 * @param memoryBudgetBytes native memory of an executor process, in bytes
 * @param idempotencyHeader header with the request id; none when switched off
 */
final case class DriverPlan(
    planDigest: String,
    requestDigest: String,
    partitions: Int,
    idColumn: Option[String],
    columns: Option[Seq[String]],
    requiredColumns: Seq[String],
    sink: SinkSettings,
    source: SourceSettings,
    journalPath: Option[String],
    batchRows: Int,
    batchBytes: Long,
    flushMillis: Long,
    flushRows: Long,
    flushBytes: Long,
    skipDelivered: Option[String],
    resendOnResume: Seq[String],
    failWhen: FailWhen,
    generalLimit: Option[String],
    otherLimits: Seq[String],
    sendingWindow: Option[SendingWindow],
    allowSpeculation: Boolean,
    memoryBudgetBytes: Long,
    idempotencyHeader: Option[String],
    warnings: Seq[String]
) {

  /** Whether attempts may have to wait for a rate limit. */
  def isLimited: Boolean = generalLimit.isDefined || otherLimits.nonEmpty
}

/**
 * A table as a config names it: by exactly one of name and path.
 *
 * @param table namespace and name, joined by dots
 */
final case class TableSettings(table: Option[String], path: Option[String])

/**
 * Where answers go.
 *
 * @param format Spark's name of the table's format
 * @param overwrite whether the run's rows replace those that are there
 * @param merge the table with one current row per tracking_id, if there is one
 * @param sourceColumns source columns that its rows keep
 * @param responseFields columns that are picked from answers, after those, with Spark's names of their types
 */
final case class SinkSettings(
    target: TableSettings,
    format: String = "delta",
    overwrite: Boolean = false,
    merge: Option[MergeSettings] = None,
    sourceColumns: Seq[String] = Nil,
    responseFields: Seq[(String, String)] = Nil
) {

  /** The table in which every answer can be found, and its format. */
  def answers: (TableSettings, String) = merge match {
    case Some(MergeSettings(current, false)) => (current, "delta")
    case _ => (target, format)
  }
}

/** @param appendRows whether the run's rows also go to the sink itself */
final case class MergeSettings(target: TableSettings, appendRows: Boolean)

/**
 * Where rows come from when no DataFrame is handed over.
 *
 * @param target none of both when the config leaves it to a DataFrame
 * @param format Spark's name of the files' format, beside a path
 * @param filter a condition in Spark SQL
 * @param select expressions in Spark SQL; none for all columns
 */
final case class SourceSettings(
    target: TableSettings,
    format: Option[String] = None,
    filter: Option[String] = None,
    select: Seq[String] = Nil
)

object DriverPlan {

  /** Reads the third part of what the native `compileConfig` answers. */
  def fromJson(bytes: Array[Byte]): DriverPlan = {
    val json = Json.parse(bytes)
    DriverPlan(
      planDigest = json.string("planDigest"),
      requestDigest = json.string("requestDigest"),
      partitions = json.int("partitions"),
      idColumn = json.optionalString("idColumn"),
      columns = json.find("columns").map(_ => json.strings("columns")),
      requiredColumns = json.strings("requiredColumns"),
      sink = sink(json.need("sink")),
      source = source(json.need("source")),
      journalPath = json.optionalString("journalPath"),
      batchRows = json.int("batchRows"),
      batchBytes = json.long("batchBytes"),
      flushMillis = json.long("flushMillis"),
      flushRows = json.long("flushRows"),
      flushBytes = json.long("flushBytes"),
      skipDelivered = json.optionalString("skipDelivered"),
      resendOnResume = json.strings("resendOnResume"),
      failWhen = failWhen(json.need("failWhen")),
      generalLimit = json.optionalString("generalLimit"),
      otherLimits = json.strings("otherLimits"),
      sendingWindow = json.find("sendingWindow").map(window),
      allowSpeculation = json.need("allowSpeculation").asBoolean(),
      memoryBudgetBytes = json.long("memoryBudgetBytes"),
      idempotencyHeader = json.optionalString("idempotencyHeader"),
      warnings = json.strings("warnings")
    )
  }

  private def failWhen(json: JsonNode): FailWhen = FailWhen(
    json.find("failedRows").map(_.asLong()),
    json.find("failedShare").map(_.asDouble()),
    json.long("afterRows")
  )

  private def window(json: JsonNode): SendingWindow =
    SendingWindow.of(json.string("from"), json.string("until"), json.string("timeZone"), json.strings("days"))

  private def table(json: JsonNode): TableSettings =
    TableSettings(json.optionalString("table"), json.optionalString("path"))

  private def sink(json: JsonNode): SinkSettings = SinkSettings(
    table(json),
    json.string("format"),
    json.string("mode") == "overwrite",
    json.find("merge").map(merge => MergeSettings(table(merge), merge.need("appendRows").asBoolean())),
    json.strings("sourceColumns"),
    json.items("responseFields").map(field => (field.string("name"), field.string("dataType")))
  )

  private def source(json: JsonNode): SourceSettings = SourceSettings(
    table(json),
    json.optionalString("format"),
    json.optionalString("filter"),
    json.strings("select")
  )
}
