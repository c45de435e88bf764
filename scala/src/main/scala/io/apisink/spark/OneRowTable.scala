package io.apisink.spark

import java.util

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.catalog.{SupportsRead, Table, TableCapability}
import org.apache.spark.sql.connector.read.{LocalScan, ScanBuilder}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * A table that shows one thing the driver knows. Read without a task.
 *
 * @param row computed when the read is planned
 */
private[spark] abstract class OneRowTable(label: String, columns: StructType) extends Table with SupportsRead {

  protected def row(options: CaseInsensitiveStringMap): InternalRow

  override def name(): String = label

  @deprecated("replaced by columns() in Spark, where it is still abstract for readers", "3.4.0")
  override def schema(): StructType = columns

  override def capabilities(): util.Set[TableCapability] = util.EnumSet.of(TableCapability.BATCH_READ)

  override def newScanBuilder(options: CaseInsensitiveStringMap): ScanBuilder = {
    val found = row(options)
    () =>
      new LocalScan {
        override def rows(): Array[InternalRow] = Array(found)
        override def readSchema(): StructType = columns
      }
  }

  override def toString: String = label
}
