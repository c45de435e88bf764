package io.apisink.journal

import java.io.BufferedOutputStream
import java.nio.channels.Channels
import java.util.UUID

import scala.collection.mutable.ArrayBuffer
import scala.util.control.NonFatal

import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.ipc.ArrowFileWriter
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataOutputStream, Path}
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
 * A file is written under a hidden name and renamed when it is finished, so that a visible file is always whole and
 * never changes. Names carry the task attempt's id and a random token: neither a zombie attempt nor an attempt of a
 * later application with the same id can meet another's file.
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

  /** Adds the rows that a root holds now. */
  def append(root: VectorSchemaRoot): Unit = {
    val file = open.getOrElse {
      val file = new OpenFile(root)
      open = Some(file)
      file
    }
    file.append(root)
    flushIfDue()
  }

  /** Finishes the open file if it is old or large enough. Call it now and then, also while nothing arrives. */
  def flushIfDue(): Unit =
    if (open.exists(_.due)) flush()

  /** Finishes the open file, if there is one. */
  def flush(): Unit = open.foreach { file =>
    open = None
    finished += file.finish()
  }

  /** The finished files, in the order of writing. */
  def result: Seq[JournalFile] = finished.toVector

  /** Finishes what is open as well as it can: answers that have arrived are worth keeping. May be called again. */
  override def close(): Unit =
    try flush()
    catch {
      case NonFatal(e) => log.warn(s"a journal file below $partitionDirectory could not be finished", e)
    }

  private final class OpenFile(root: VectorSchemaRoot) {
    private val opened = clock()
    private val name = JournalFile.name(attempt, sequence)
    private val file = new Path(partitionDirectory, name)
    private val hidden = files.hiddenName(file, "open")
    private var rows = 0L

    sequence += 1
    files.createPrivateDirectory(partitionDirectory)
    private val stream: FSDataOutputStream = files.fileSystem(file).create(hidden, false)
    private val buffered = new BufferedOutputStream(stream, JournalWriter.BufferBytes)
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
      if (!files.publish(hidden, file)) {
        throw new IllegalStateException(s"the journal file $file exists already")
      }
      JournalFile(s"${partitionDirectory.getName}/$name", rows, bytes)
    }
  }
}

object JournalWriter {

  private val BufferBytes = 64 * 1024

  /** `a<task attempt id>.<random token>`. Spark counts task attempts from 0 in each application. */
  def attemptLabel(taskAttemptId: Long): String = s"a$taskAttemptId.${UUID.randomUUID().toString.take(8)}"
}
