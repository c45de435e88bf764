package io.apisink.spark

import io.apisink.ledger.Manifest
import io.apisink.sink.{CurrentTable, ResponseTable}
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.apisink.Sessions

/** Where a run's commits go, as far as a run must know. */
private[spark] trait RunSink {

  /** As people write it. */
  def name: String

  /** Fails when nothing can be written there at all. Changes nothing. */
  def check(): Unit

  /** Whether it has rows of a run that a second writing would not replace. */
  def holds(runId: String): Boolean

  /**
   * Adds the rows of a manifest, all or none. A pair of transaction and number that it has taken before is silently
   * left out.
   */
  def append(manifest: Manifest, transaction: String): Unit
}

/**
 * The answers of a run's journal, read by Spark and written to tables: a row for every exchange, or one current row per
 * tracking_id, or both. Both know their transactions, so that a commit that stopped in between is made again whole.
 */
private[spark] final class JournalToTables(
    spark: SparkSession,
    directory: Path,
    rows: Option[ResponseTable],
    current: Option[CurrentTable]
) extends RunSink {

  override def name: String = (rows.map(_.name) ++ current.map(_.name)).mkString(" and ")

  override def check(): Unit = {
    rows.foreach(_.check())
    current.foreach(_.check())
  }

  override def holds(runId: String): Boolean = rows.exists(_.holds(runId))

  override def append(manifest: Manifest, transaction: String): Unit = {
    rows.foreach { table =>
      val tasks = spark.sparkContext.defaultParallelism
      val files = ResponseTable.fileCount(manifest.rows, manifest.bytes, manifest.partitions.size, tasks)
      table.write(responses(manifest), transaction, manifest.number, files)
    }
    current.foreach(_.merge(responses(manifest), transaction, manifest.number))
  }

  /** In a session of its own: the writing of tables has settings of its own. */
  private def responses(manifest: Manifest): DataFrame = Sessions.copyOf(spark).read
    .format(classOf[ApiSinkProvider].getName)
    .option("journal", directory.toString)
    .option("manifest", manifest.number.toLong)
    .load()
}
