package io.apisink.sink

import io.apisink.ConfigException
import io.apisink.config.DriverPlan
import io.apisink.journal.BronzeSchema
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.apisink.Formats
import org.apache.spark.sql.functions.{col, current_timestamp}

/** Where a Delta table is: at a path, or under a name in a catalog. */
sealed trait SinkTarget {

  /** As people write it; stands in the ledger. */
  def name: String
}

object SinkTarget {

  final case class AtPath(path: Path) extends SinkTarget {
    override def name: String = path.toString
  }

  final case class Named(table: String) extends SinkTarget {
    override def name: String = table
  }

  /** @param conf resolves a path without a scheme, so that the ledger names the same place on every driver */
  def of(plan: DriverPlan, conf: Configuration): SinkTarget = (plan.sinkTable, plan.sinkPath) match {
    case (Some(table), _) => Named(table)
    case (None, Some(path)) =>
      val raw = new Path(path)
      AtPath(raw.getFileSystem(conf).makeQualified(raw))
    case (None, None) => throw new ConfigException(
        "SINK_MISSING",
        "the config names no sink",
        "Write tables.sink.path, or tables.sink.name with namespace."
      )
  }
}

/** Appends to a Delta table, through Spark's own writer, so that every catalog and cloud that Spark knows works. */
final class DeltaSink(spark: SparkSession, target: SinkTarget) {

  def name: String = target.name

  /** Fails when this session cannot write Delta tables at all. Changes nothing. */
  def check(): Unit =
    if (!Formats.exists("delta")) {
      throw new ConfigException(
        "SINK_DELTA_MISSING",
        s"this Spark session has no Delta Lake, which the sink ${target.name} needs",
        "Add the Delta jars of this Spark version (--packages io.delta:delta-spark_…, or --jars) and set" +
          " spark.sql.extensions and spark.sql.catalog.spark_catalog as Delta's documentation says."
      )
    }

  /** Whether the table exists and holds rows of a run. */
  def holds(runId: String): Boolean =
    existing.exists(table => !table.where(col("run_id") === runId).limit(1).isEmpty)

  /**
   * Appends responses and adds the time of the append; creates the table when there is none.
   *
   * Delta keeps (`transaction`, `version`) with the commit and silently skips a pair that it has seen.
   *
   * @param transaction the ledger's
   * @param version number of the manifest
   * @param files aimed number of Delta files
   */
  def append(responses: DataFrame, transaction: String, version: Int, files: Int): Unit = {
    val writer = responses
      .coalesce(files)
      .withColumn(BronzeSchema.IngestedAt, current_timestamp())
      .write
      .format("delta")
      .mode("append")
      .option("txnAppId", transaction)
      .option("txnVersion", version.toLong)
      // For a table that is created here: the ids and the outcome, not every field of every struct.
      .option("delta.dataSkippingNumIndexedCols", DeltaSink.IndexedColumns.toLong)
    target match {
      case SinkTarget.AtPath(path) => writer.save(path.toString)
      case SinkTarget.Named(table) => writer.saveAsTable(table)
    }
  }

  private def existing: Option[DataFrame] = target match {
    case SinkTarget.AtPath(path) =>
      val log = new Path(path, "_delta_log")
      val fs = log.getFileSystem(spark.sparkContext.hadoopConfiguration)
      Option.when(fs.exists(log))(spark.read.format("delta").load(path.toString))
    case SinkTarget.Named(table) => Option.when(spark.catalog.tableExists(table))(spark.table(table))
  }
}

object DeltaSink {

  /** run_id, request_id, tracking_id, outcome. */
  private val IndexedColumns = 4

  private val RowsPerFile = 100000L
  private val BytesPerFile = 128L * 1024 * 1024

  /**
   * Aimed number of Delta files: few large ones rather than one for each Spark partition.
   *
   * @param bytes of the journal, uncompressed
   * @param partitions of the journal that have rows
   */
  def fileCount(rows: Long, bytes: Long, partitions: Int): Int =
    math.max(1L, math.min(partitions.toLong, math.max(rows / RowsPerFile, bytes / BytesPerFile))).toInt
}
