package io.apisink.spark

import java.util

import io.apisink.journal.BronzeSchema
import org.apache.spark.sql.connector.catalog._
import org.apache.spark.sql.connector.read.ScanBuilder
import org.apache.spark.sql.connector.write.{LogicalWriteInfo, WriteBuilder}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/** The one table that rows are written to, without state: options say what a write is about. It takes rows of any schema. */
private[spark] class ApiSinkTable extends Table with SupportsWrite with SupportsRead {

  override def name(): String = ApiSinkProvider.ShortName

  @deprecated("replaced by columns() in Spark, where it is still abstract for readers", "3.4.0")
  override def schema(): StructType = BronzeSchema.schema

  override def capabilities(): util.Set[TableCapability] = util.EnumSet.of(
    TableCapability.BATCH_WRITE,
    // For a refusal in our words.
    TableCapability.BATCH_READ,
    TableCapability.ACCEPT_ANY_SCHEMA,
    TableCapability.TRUNCATE
  )

  override def newWriteBuilder(info: LogicalWriteInfo): WriteBuilder = new ApiSinkWriteBuilder(info)

  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder = {
    ApiSinkOptions.forRead(options)
    throw new IllegalStateException("reads have tables of their own")
  }

  override def toString: String = name()
}

/** For `save()` without a mode, which Spark runs as CREATE TABLE AS SELECT: there is nothing to stage. */
private[spark] final class ApiSinkStagedTable extends ApiSinkTable with StagedTable {
  override def commitStagedChanges(): Unit = ()
  override def abortStagedChanges(): Unit = ()
}
