package org.apache.spark.sql.apisink

import java.util.UUID

import io.apisink.JournalException
import io.apisink.journal.{AnswerColumns, JournalCheck, JournalFile, RequestIdSet, ResumeRule}
import io.apisink.ledger.PartitionFiles
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.connector.read.PartitionReader
import org.apache.spark.sql.execution.vectorized.ConstantColumnVector
import org.apache.spark.sql.types.{StructType, TimestampType}
import org.apache.spark.sql.vectorized.{ColumnVector, ColumnarBatch}
import org.slf4j.LoggerFactory

/**
 * Reads the journal files of one partition in their order. Where they come from more than one task attempt, the first
 * answer to each request counts and later ones are left out; of earlier attempts' files only rows that the last
 * attempt took over as answers count.
 *
 * Memory: one batch of one file, and with several attempts the request ids of the partition.
 *
 * @param directory the run's
 * @param rows schema of the run's journal files
 * @param stamp value of the column `ingested_at`, in microseconds since 1970, which comes after the journal's then. A
 *   column of the scan, not a literal of the plan: a literal is compiled into Spark's generated code, which the JVM
 *   then compiles again for each append
 * @param skipDamaged whether a damaged file is left out, and logged; else it fails the read
 */
final class JournalPartitionReader(
    directory: Path,
    partition: PartitionFiles,
    rows: StructType,
    rule: ResumeRule,
    stamp: Option[Long],
    skipDamaged: Boolean,
    conf: Configuration
) extends PartitionReader[ColumnarBatch] {

  private val log = LoggerFactory.getLogger(getClass)
  private val allocator = ArrowTypes.newAllocator(s"apisink journal partition ${partition.partition}")
  private val left = partition.files.iterator
  private val seen = Option.when(partition.files.map(_.attempt).distinct.size > 1)(new RequestIdSet)
  private var file: Option[(JournalFile, JournalFileReader)] = None
  private var batch: ColumnarBatch = _

  @scala.annotation.tailrec
  override def next(): Boolean = file.flatMap { case (of, reader) => reader.next().map(select(of, _)) } match {
    case Some(selected) =>
      batch = stamp.fold(selected)(JournalPartitionReader.withStamp(selected, _))
      if (batch.numRows() > 0) true else next()
    case None if left.hasNext =>
      closeFile()
      file = open(left.next())
      next()
    case None => false
  }

  override def get(): ColumnarBatch = batch

  override def close(): Unit =
    try closeFile()
    finally allocator.close()

  /** None for a damaged file that is left out. */
  private def open(next: JournalFile): Option[(JournalFile, JournalFileReader)] = {
    val path = new Path(directory, next.path)
    JournalCheck.damage(path, conf) match {
      case None => Some(next -> new JournalFileReader(path, rows, conf, allocator))
      case Some(why) if skipDamaged =>
        log.warn(s"the journal file $path $why; it is left out")
        None
      case Some(why) => throw new JournalException(
          JournalException.DAMAGED,
          s"the journal file $path $why",
          "Write again with the same runId: the rows of that file are sent again, with the same request ids, and all" +
            " others are not."
        )
    }
  }

  private def closeFile(): Unit = {
    val open = file
    file = None
    open.foreach { case (_, reader) => reader.close() }
  }

  private def select(of: JournalFile, loaded: ColumnarBatch): ColumnarBatch =
    if (!of.earlier && seen.isEmpty) loaded
    else {
      val columns = new AnswerColumns(loaded)
      val rows = (0 until loaded.numRows()).filter { row =>
        (!of.earlier || columns.isAnswer(row, rule)) &&
        seen.forall(_.add(UUID.fromString(columns.requestId(row).toString)))
      }.toArray
      if (rows.length == loaded.numRows()) loaded
      else {
        val selected =
          Array.tabulate[ColumnVector](loaded.numCols())(i => new SelectedColumnVector(loaded.column(i), rows))
        new ColumnarBatch(selected, rows.length)
      }
    }
}

private object JournalPartitionReader {

  private def withStamp(batch: ColumnarBatch, stamp: Long): ColumnarBatch = {
    val column = new ConstantColumnVector(batch.numRows(), TimestampType)
    column.setLong(stamp)
    val columns = Array.tabulate[ColumnVector](batch.numCols())(batch.column) :+ column
    new ColumnarBatch(columns, batch.numRows())
  }
}
