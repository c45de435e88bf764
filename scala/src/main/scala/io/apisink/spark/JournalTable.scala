package io.apisink.spark

import java.util

import io.apisink.ConfigException
import io.apisink.journal.{BronzeSchema, JournalDirectory, ResumeRule}
import io.apisink.ledger.{Ledger, Manifest, OpenRecord}
import io.apisink.Outcomes
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.{JournalScan, Sessions}
import org.apache.spark.sql.connector.catalog.{SupportsRead, Table, TableCapability}
import org.apache.spark.sql.connector.read.ScanBuilder
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The journal of a run as response rows: what a manifest names, which is how a run brings its answers into the sink, or
 * all finished and whole files that are there now. A manifest's have the sink's `ingested_at`, the time of the reading.
 *
 * @param manifest number of a manifest; none for all files
 */
private[spark] final class JournalTable(directory: Path, manifest: Option[Int]) extends Table with SupportsRead {

  private val conf = Sessions.hadoopConf(SparkSession.active)
  private val ledger = new Ledger(directory, conf)
  private val record: OpenRecord = ledger.opened().getOrElse {
    throw new ConfigException(
      "OPTION_JOURNAL",
      s"there is no run's journal at $directory",
      "Let the option 'journal' name a run's directory: <execution.journal_path>/<run id>."
    )
  }

  override def name(): String = s"apisink journal $directory"

  @deprecated("replaced by columns() in Spark, where it is still abstract for readers", "3.4.0")
  override def schema(): StructType = if (manifest.isDefined) BronzeSchema.stamped(record.rows) else record.rows

  override def capabilities(): util.Set[TableCapability] = util.EnumSet.of(TableCapability.BATCH_READ)

  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder = () =>
    manifest match {
      case Some(number) =>
        new JournalScan(directory, ledger.manifest(number), record.rows, stamped = true, skipDamaged = false)
      case None =>
        val all = Manifest(0, new JournalDirectory(directory, conf).files(), ResumeRule.KeepAll, Outcomes())
        new JournalScan(directory, all, record.rows, stamped = false, skipDamaged = true)
    }

  override def toString: String = name()
}
