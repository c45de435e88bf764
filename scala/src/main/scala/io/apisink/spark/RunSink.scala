package io.apisink.spark

import io.apisink.ledger.Manifest
import io.apisink.sink.DeltaSink
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession

/** Where a run's commits go, as far as a run must know. */
private[spark] trait RunSink {

  /** As people write it. */
  def name: String

  /** Fails when nothing can be written there at all. Changes nothing. */
  def check(): Unit

  /** Whether it has rows of a run. */
  def holds(runId: String): Boolean

  /**
   * Adds the rows of a manifest, all or none. A pair of transaction and number that it has taken before is silently
   * left out.
   */
  def append(manifest: Manifest, transaction: String): Unit
}

/** The answers of a run's journal, read by Spark and appended to a Delta table. */
private[spark] final class JournalToDelta(spark: SparkSession, directory: Path, sink: DeltaSink) extends RunSink {

  override def name: String = sink.name

  override def check(): Unit = sink.check()

  override def holds(runId: String): Boolean = sink.holds(runId)

  override def append(manifest: Manifest, transaction: String): Unit = {
    val responses = spark.read
      .format(classOf[ApiSinkProvider].getName)
      .option("journal", directory.toString)
      .option("manifest", manifest.number.toLong)
      .load()
    val files = DeltaSink.fileCount(manifest.rows, manifest.bytes, manifest.partitions.size)
    sink.append(responses, transaction, manifest.number, files)
  }
}
