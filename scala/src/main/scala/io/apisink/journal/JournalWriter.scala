package io.apisink.journal

import java.io.{BufferedOutputStream, IOException}
import java.nio.channels.Channels
import java.util.UUID
import java.util.concurrent.atomic.LongAdder
import java.util.zip.{CRC32C, CheckedOutputStream}

import scala.collection.mutable.ArrayBuffer
import scala.util.control.NonFatal

import io.apisink.JournalException
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.ipc.ArrowFileWriter
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataOutputStream, FSError, Path}
import org.apache.spark.sql.apisink.Uninterrupted
import org.slf4j.LoggerFactory

/**
 * When an open journal file is finished and becomes visible.
 *
 * @param millis its age, in milliseconds
 * @param bytes its size, in bytes
 */
final case class FlushLimits(millis: Long, rows: Long, bytes: Long)

/**
 * Writes the responses of one task attempt to Arrow IPC files of its partition's directory.
 *
 * A file is written under a hidden name and renamed when it is finished, so that a visible file is whole and never
 * changes; its name carries a checksum, for what a file system or a disk does to it later. Names also carry the task
 * attempt's id and a random token: neither a zombie attempt nor an attempt of a later application with the same id can
 * meet another's file.
 *
 * Used by the task's thread only. The batches stay the caller's.
 *
 * @param directory the run's
 * @param attempt from [[JournalWriter.attemptLabel]]
 * @param clock milliseconds, monotonic
 */
final class JournalWriter(
    directory: Path,
    partition: Int,
    attempt: String,
    limits: FlushLimits,
    conf: Configuration,
    clock: () => Long = () => System.nanoTime() / 1000000L
) extends AutoCloseable {

  private val log = LoggerFactory.getLogger(getClass)
  private val files = new Files(conf)
  private val partitionDirectory = new Path(directory, JournalFile.partitionDirectory(partition))
  private val finished = ArrayBuffer.empty[JournalFile]
  private var open: Option[OpenFile] = None
  private var sequence = 0

  /**
   * Adds the rows that a root holds now.
   *
   * @throws JournalException when the file system does not take them: answers can no longer be kept
   */
  def append(root: VectorSchemaRoot): Unit = keeping {
    val file = open.getOrElse {
      val file = new OpenFile(root)
      open = Some(file)
      file
    }
    file.append(root)
    flushIfDue()
  }

  /** Finishes the open file if it is large enough, or old: for the case that nobody calls [[flush]] in time. */
  private def flushIfDue(): Unit =
    if (open.exists(_.due)) flush()

  /** Finishes the open file, if there is one. */
  def flush(): Unit = open.foreach { file =>
    open = None
    keeping(finished += file.finish())
  }

  /**
   * Fails when the directory takes no file now. For a task whose earlier attempt has failed: where answers cannot be
   * kept none should be asked for.
   */
  def probe(): Unit = keeping {
    files.createPrivateDirectory(partitionDirectory)
    val file = files.hiddenName(new Path(partitionDirectory, attempt), "probe")
    val stream = files.create(file)
    try stream.write(new Array[Byte](JournalWriter.BufferBytes))
    finally
      try stream.close()
      finally files.fileSystem(file).delete(file, false)
  }

  /** The finished files, in the order of writing. */
  def result: Seq[JournalFile] = finished.toVector

  /** Finishes what is open as well as it can: answers that have arrived are worth keeping. May be called again. */
  override def close(): Unit =
    try flush()
    catch {
      case NonFatal(e) => log.warn(s"a journal file below $partitionDirectory could not be finished", e)
    }

  /** Whatever befalls the task meanwhile, a write is not cut: the file, with all its answers, would be lost. */
  private def keeping[T](write: => T): T =
    try Uninterrupted.run(write)
    catch {
      // Hadoop's local file system says FSError, which is no exception, where a write fails.
      case e @ (_: IOException | _: FSError) => throw new JournalException(
          "JOURNAL_WRITE",
          s"an answer could not be kept in $partitionDirectory, so no further row is sent: ${e.getMessage}",
          "Give the journal's file system room or repair it, then write again with the same runId: rows whose answers" +
            " were kept are not sent again.",
          e
        )
    }

  private final class OpenFile(root: VectorSchemaRoot) {
    private val opened = clock()
    private val stem = JournalFile.stem(attempt, sequence)
    private val hidden = files.hiddenName(new Path(partitionDirectory, stem), "open")
    private var rows = 0L

    sequence += 1
    files.createPrivateDirectory(partitionDirectory)
    private val stream: FSDataOutputStream = files.create(hidden)
    private val checksum = new CRC32C
    private val buffered =
      new BufferedOutputStream(new CheckedOutputStream(stream, checksum), JournalWriter.BufferBytes)
    private val writer = new ArrowFileWriter(root, null, Channels.newChannel(buffered))

    def append(batch: VectorSchemaRoot): Unit = {
      require(batch eq root, "a journal file takes the batches of one root")
      writer.writeBatch()
      rows += batch.getRowCount
    }

    def due: Boolean =
      rows >= limits.rows || writer.bytesWritten() >= limits.bytes || clock() - opened >= limits.millis

    def finish(): JournalFile = {
      val bytes =
        try {
          writer.end()
          buffered.flush()
          stream.getPos
        } finally stream.close()
      val file = new Path(partitionDirectory, JournalFile.name(stem, checksum.getValue))
      if (!files.publish(hidden, file)) {
        throw new IllegalStateException(s"the journal file $file exists already")
      }
      JournalWriter.written.add(bytes)
      JournalFile(s"${partitionDirectory.getName}/${file.getName}", rows, bytes)
    }
  }
}

object JournalWriter {

  private val BufferBytes = 64 * 1024

  /** Bytes of the journal files that this process has finished since its start. */
  val written = new LongAdder

  /** `a<task attempt id>.<random token>`. Spark counts task attempts from 0 in each application. */
  def attemptLabel(taskAttemptId: Long): String = s"a$taskAttemptId.${UUID.randomUUID().toString.take(8)}"
}
