package io.apisink.journal

import java.util.UUID

import scala.collection.mutable.ArrayBuffer

import io.apisink.session.AnswerRecords
import org.apache.arrow.memory.BufferAllocator
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.apisink.JournalFileReader
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * What was found of earlier task attempts.
 *
 * @param files those whose answers were taken over, in the order in which they were read
 * @param damaged those that were left out, each with the reason; their rows are sent again
 */
final case class EarlierFiles(files: Seq[JournalFile], damaged: Seq[String])

/**
 * The answers that earlier task attempts have left in a partition's journal, of this application or of one before.
 *
 * What is there when the directory is listed counts. A zombie attempt may finish a file later: this attempt never names
 * it. Used by the task's thread only.
 *
 * @param directory the run's
 * @param rows schema of the run's journal files
 */
private[apisink] final class EarlierAnswers(
    directory: Path,
    partition: Int,
    rows: StructType,
    rule: ResumeRule,
    conf: Configuration
) {

  private val partitionDirectory = new Path(directory, JournalFile.partitionDirectory(partition))
  private val names = new Files(conf).names(partitionDirectory).filter(JournalFile.isFinished).sorted

  def isEmpty: Boolean = names.isEmpty

  /**
   * Reads them, one batch at a time.
   *
   * @param take gets the answers of a batch, as records for the native session
   */
  def load(allocator: BufferAllocator)(take: Array[Byte] => Unit): EarlierFiles = {
    val files = ArrayBuffer.empty[JournalFile]
    val damaged = ArrayBuffer.empty[String]
    names.foreach { name =>
      val file = new Path(partitionDirectory, name)
      // The whole file first: a session cannot give answers back.
      JournalCheck.damage(file, conf) match {
        case Some(why) => damaged += s"$file $why"
        case None => files += read(file, allocator, take)
      }
    }
    EarlierFiles(files.toVector, damaged.toVector)
  }

  private def read(file: Path, allocator: BufferAllocator, take: Array[Byte] => Unit): JournalFile = {
    var count = 0L
    val reader = new JournalFileReader(file, rows, conf, allocator)
    try Iterator.continually(reader.next()).takeWhile(_.isDefined).flatten.foreach { batch =>
        count += batch.numRows()
        take(records(batch))
      }
    finally reader.close()
    val length = file.getFileSystem(conf).getFileStatus(file).getLen
    JournalFile(s"${partitionDirectory.getName}/${file.getName}", count, length, earlier = true)
  }

  private def records(batch: ColumnarBatch): Array[Byte] = {
    val records = new AnswerRecords
    val columns = new AnswerColumns(batch)
    (0 until batch.numRows()).foreach { row =>
      if (columns.isAnswer(row, rule)) {
        val requestId = UUID.fromString(columns.requestId(row).toString)
        records.add(requestId, columns.digest(row), columns.attempts(row), columns.outcome(row))
      }
    }
    records.toBytes
  }
}
