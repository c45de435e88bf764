package io.apisink.spark

import java.util

import io.apisink.journal.BronzeSchema
import io.apisink.ledger.Ledger
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.{JournalScan, Sessions}
import org.apache.spark.sql.connector.catalog._
import org.apache.spark.sql.connector.read.ScanBuilder
import org.apache.spark.sql.connector.write.{LogicalWriteInfo, WriteBuilder}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The one table of format apisink, without state: options say what a write or read is about.
 *
 * It takes rows of any schema. Reading it shows the files of a run's manifest as response rows; that is how a run
 * appends its journal to the sink.
 */
private[spark] class ApiSinkTable extends Table with SupportsWrite with SupportsRead {

  override def name(): String = ApiSinkProvider.ShortName

  @deprecated("replaced by columns() in Spark, where it is still abstract for readers", "3.4.0")
  override def schema(): StructType = BronzeSchema.schema

  override def capabilities(): util.Set[TableCapability] = util.EnumSet.of(
    TableCapability.BATCH_WRITE,
    TableCapability.BATCH_READ,
    TableCapability.ACCEPT_ANY_SCHEMA,
    // See ApiSinkWriteBuilder.truncate.
    TableCapability.TRUNCATE
  )

  override def newWriteBuilder(info: LogicalWriteInfo): WriteBuilder = new ApiSinkWriteBuilder(info)

  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder = () => {
    val ReadOptions(journal, manifest) = ApiSinkOptions.forRead(options)
    val directory = new Path(journal)
    val ledger = new Ledger(directory, Sessions.hadoopConf(SparkSession.active))
    new JournalScan(directory, ledger.manifest(manifest))
  }

  override def toString: String = name()
}

/** For `save()` without a mode, which Spark runs as CREATE TABLE AS SELECT: there is nothing to stage. */
private[spark] final class ApiSinkStagedTable extends ApiSinkTable with StagedTable {
  override def commitStagedChanges(): Unit = ()
  override def abortStagedChanges(): Unit = ()
}
