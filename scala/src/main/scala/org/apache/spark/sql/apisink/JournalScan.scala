package org.apache.spark.sql.apisink

import java.time.Instant

import io.apisink.journal.{BronzeSchema, ResumeRule}
import io.apisink.ledger.{Manifest, PartitionFiles}
import org.apache.hadoop.fs.Path
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.util.DateTimeUtils
import org.apache.spark.sql.connector.read._
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.ColumnarBatch
import org.apache.spark.util.SerializableConfiguration

/**
 * A columnar scan over the files of a manifest: one Spark partition for each partition of the journal, its files in the
 * manifest's order.
 *
 * @param directory the run's
 * @param rows schema of the run's journal files
 * @param stamped whether each row has the time of this scan as `ingested_at` after the journal's columns
 * @param skipDamaged whether a damaged file is left out, and logged; else it fails the read
 */
final class JournalScan(
    directory: Path,
    manifest: Manifest,
    rows: StructType,
    stamped: Boolean,
    skipDamaged: Boolean
) extends Scan
    with Batch {

  override def readSchema(): StructType = if (stamped) BronzeSchema.stamped(rows) else rows

  override def toBatch: Batch = this

  override def planInputPartitions(): Array[InputPartition] =
    manifest.partitions.filter(_.files.nonEmpty).map(JournalPartition(_): InputPartition).toArray

  override def createReaderFactory(): PartitionReaderFactory = {
    val spark = SparkSession.active
    val conf = spark.sparkContext.broadcast(new SerializableConfiguration(Sessions.hadoopConf(spark)))
    val stamp = Option.when(stamped)(DateTimeUtils.instantToMicros(Instant.now()))
    new JournalReaderFactory(directory.toString, rows, manifest.rule, stamp, skipDamaged, conf)
  }

  override def description(): String = s"apisink journal $directory, manifest ${manifest.number}"

  override def toString: String = description()
}

final case class JournalPartition(files: PartitionFiles) extends InputPartition

final class JournalReaderFactory(
    directory: String,
    rows: StructType,
    rule: ResumeRule,
    stamp: Option[Long],
    skipDamaged: Boolean,
    conf: Broadcast[SerializableConfiguration]
) extends PartitionReaderFactory {

  override def supportColumnarReads(partition: InputPartition): Boolean = true

  override def createColumnarReader(partition: InputPartition): PartitionReader[ColumnarBatch] = {
    val files = partition.asInstanceOf[JournalPartition].files
    new JournalPartitionReader(new Path(directory), files, rows, rule, stamp, skipDamaged, conf.value.value)
  }

  override def createReader(partition: InputPartition): PartitionReader[InternalRow] =
    throw new UnsupportedOperationException("the journal is read by column")
}
