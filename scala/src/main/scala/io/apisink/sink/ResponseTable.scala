package io.apisink.sink

import io.apisink.ConfigException
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.apisink.Formats
import org.apache.spark.sql.functions.col

/**
 * A table with a row for every exchange, written through Spark's own writers, so that every catalog and cloud that Spark
 * knows works.
 *
 * @param format Spark's name of the table's format. Only `delta` keeps transaction ids with its commits, so only there a
 *   commit that is made again after a crash adds nothing
 * @param overwrite whether rows replace those that are there
 */
final class ResponseTable(spark: SparkSession, target: SinkTarget, format: String, overwrite: Boolean) {

  def name: String = target.name

  /** Fails when this session cannot write such tables at all. Changes nothing. */
  def check(): Unit =
    if (!Formats.exists(format)) {
      if (isDelta) throw ResponseTable.noDelta(target)
      throw new ConfigException(
        "SINK_FORMAT",
        s"this Spark session has no data source '$format', which tables.sink.format names",
        "Write delta, parquet or another format that Spark finds on its class path."
      )
    }

  /** Whether there is a table that holds rows of a run. One that will be overwritten holds nothing that matters. */
  def holds(runId: String): Boolean =
    !overwrite && target.existing(spark, format).exists(table => !table.where(col("run_id") === runId).limit(1).isEmpty)

  /**
   * Writes responses; creates the table when there is none, and adds columns that a table of an older version lacks.
   *
   * Delta keeps (`transaction`, `version`) with the commit and silently skips a pair that it has seen.
   *
   * @param responses rows as the sink has them, `ingested_at` included, of a session that nobody else writes with: which
   *   columns get no dictionary is told to Parquet by its settings
   * @param transaction the ledger's
   * @param version number of the manifest
   * @param files aimed number of files
   */
  def write(responses: DataFrame, transaction: String, version: Int, files: Int): Unit = {
    val settings = responses.sparkSession.conf
    for (column <- ResponseTable.DifferInEachRow) {
      val dictionary = s"parquet.enable.dictionary#$column"
      if (settings.getOption(dictionary).isEmpty) settings.set(dictionary, false)
    }
    val plain = responses
      .coalesce(files)
      .write
      .format(format)
      .mode(if (overwrite) "overwrite" else "append")
    val writer =
      if (!isDelta) plain
      else plain
        .option("txnAppId", transaction)
        .option("txnVersion", version.toLong)
        .option("mergeSchema", "true")
        // For a table that is created here: the ids and the outcome, not every field of every struct.
        .option("delta.dataSkippingNumIndexedCols", ResponseTable.IndexedColumns.toLong)
    target.save(writer)
  }

  private def isDelta: Boolean = SinkTarget.isDelta(format)
}

object ResponseTable {

  /** run_id, request_id, tracking_id, outcome. */
  private val IndexedColumns = 4

  /**
   * Columns of which Parquet would begin a dictionary, find it of no use and write again what it has so far. Spark hands
   * settings of Parquet on from the session; Delta does not from the options of a write.
   */
  private val DifferInEachRow = Seq("request_id", "tracking_id", "started_at", "request_digest")

  private val RowsPerFile = 100000L
  private val BytesPerFile = 128L * 1024 * 1024

  /**
   * Aimed number of files: few large ones rather than one for each Spark partition. Where there are more of them than
   * tasks at once, they are a multiple of those: three files by two tasks would take as long as four.
   *
   * @param bytes of the journal, uncompressed
   * @param partitions of the journal that have rows
   * @param tasks as many as run at once
   */
  def fileCount(rows: Long, bytes: Long, partitions: Int, tasks: Int): Int = {
    val wanted = math.max(1L, math.max(rows / RowsPerFile, bytes / BytesPerFile))
    val even = if (wanted <= tasks) wanted else (wanted + tasks - 1) / tasks * tasks
    math.max(1L, math.min(partitions.toLong, even)).toInt
  }

  private[sink] def noDelta(target: SinkTarget): ConfigException = new ConfigException(
    "SINK_DELTA_MISSING",
    s"this Spark session has no Delta Lake, which the sink ${target.name} needs",
    "Add the Delta jars of this Spark version (--packages io.delta:delta-spark_…, or --jars) and set" +
      " spark.sql.extensions and spark.sql.catalog.spark_catalog as Delta's documentation says."
  )
}
