package org.apache.spark.sql.apisink

import io.apisink.journal.BronzeSchema
import io.apisink.ledger.PartitionFiles
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.connector.read.PartitionReader
import org.apache.spark.sql.vectorized.{ColumnVector, ColumnarBatch}
import org.apache.spark.unsafe.types.UTF8String

/**
 * Reads the journal files of one partition in their order. Where they come from more than one task attempt, the first
 * row of each request id counts and later ones are left out.
 *
 * Memory: one batch of one file, and with several attempts the request ids of the partition.
 *
 * @param directory the run's
 */
final class JournalPartitionReader(directory: Path, partition: PartitionFiles, conf: Configuration)
    extends PartitionReader[ColumnarBatch] {

  private val allocator = ArrowTypes.newAllocator(s"apisink journal partition ${partition.partition}")
  private val left = partition.files.iterator
  private val seen = Option.when(partition.files.map(_.attempt).distinct.size > 1)(new java.util.HashSet[UTF8String])
  private var file: Option[JournalFileReader] = None
  private var batch: ColumnarBatch = _

  @scala.annotation.tailrec
  override def next(): Boolean = file.flatMap(_.next()) match {
    case Some(loaded) =>
      batch = seen.fold(loaded)(firstOnly(loaded, _))
      if (batch.numRows() > 0) true else next()
    case None if left.hasNext =>
      closeFile()
      file = Some(new JournalFileReader(new Path(directory, left.next().path), conf, allocator))
      next()
    case None => false
  }

  override def get(): ColumnarBatch = batch

  override def close(): Unit =
    try closeFile()
    finally allocator.close()

  private def closeFile(): Unit = {
    val open = file
    file = None
    open.foreach(_.close())
  }

  private def firstOnly(loaded: ColumnarBatch, seen: java.util.HashSet[UTF8String]): ColumnarBatch = {
    val ids = loaded.column(BronzeSchema.RequestId)
    // The string points into the batch's buffer: what is kept must be a copy.
    val rows = (0 until loaded.numRows()).filter(row => seen.add(ids.getUTF8String(row).copy())).toArray
    if (rows.length == loaded.numRows()) loaded
    else {
      val columns =
        Array.tabulate[ColumnVector](loaded.numCols())(i => new SelectedColumnVector(loaded.column(i), rows))
      new ColumnarBatch(columns, rows.length)
    }
  }
}
