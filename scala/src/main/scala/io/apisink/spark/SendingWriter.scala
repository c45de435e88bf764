package io.apisink.spark

import scala.util.control.NonFatal

import io.apisink.{ApiSinkPlugin, Outcomes}
import io.apisink.jni.Native
import io.apisink.journal.{DeliveredIds, EarlierAnswers, EarlierFiles, JournalWriter}
import io.apisink.metrics.{SessionStats, WriteMetrics}
import io.apisink.progress.ProgressAccumulator
import io.apisink.session.{NativeLog, NativeSession, TaskIdentity}
import org.apache.arrow.memory.BufferAllocator
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.{SparkEnv, TaskContext, TaskKilledException}
import org.apache.spark.sql.apisink.{ArrowTypes, SourceBatch, TaskSqlMetrics}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.metric.CustomTaskMetric
import org.apache.spark.sql.connector.write.{DataWriter, WriterCommitMessage}
import org.slf4j.LoggerFactory

/**
 * Sends the rows of one task attempt and journals the answers. What earlier attempts have journaled comes first: those
 * rows are not sent again.
 *
 * All work happens on the task's thread: it fills a batch, waits until the native session wants one, hands it over and
 * takes answers out in between; sending itself goes on in native threads. Waits are slices of [[SendingWriter.Slice]]
 * milliseconds, after each of which a killed task notices. Between two rows of the source nothing is drained: rows come
 * out of a shuffle, so they do not keep waiting for long.
 *
 * What a partition without rows never needs is not made: no session, no directory. Only where earlier attempts have left
 * answers they are taken over, though there be no row.
 */
private[spark] final class SendingWriter(job: WriteJob, partition: Int, taskAttemptId: Long)
    extends DataWriter[InternalRow] {

  private val task = Option(TaskContext.get())
  private lazy val earlier =
    new EarlierAnswers(new Path(job.directory), partition, job.rows, job.rule, job.hadoopConf.value.value)
  private var sender: Option[Sender] = None
  private var result: Option[TaskCommit] = None

  override def write(row: InternalRow): Unit = sender.getOrElse(open()).write(row)

  override def writeAll(rows: java.util.Iterator[InternalRow]): Unit = {
    while (rows.hasNext) write(rows.next())
    // Here, not in commit(): Spark reads a writer's metrics in between.
    finish()
  }

  override def commit(): WriterCommitMessage = finish()

  override def abort(): Unit = sender.foreach(_.salvage())

  override def currentMetricsValues(): Array[CustomTaskMetric] = sender.fold(Array.empty[CustomTaskMetric])(_.metrics)

  override def close(): Unit = {
    val open = sender
    sender = None
    open.foreach(_.close())
  }

  private def open(): Sender = {
    if (!job.clustered) throw SendingWriter.notClustered(job.runId)
    val opened = Sender.open(job, partition, taskAttemptId, () => checkAlive())
    sender = Some(opened)
    opened.resume(earlier)
    job.delivered.foreach(opened.skip(_, partition))
    // Where the last attempt may have failed because answers could not be kept, that comes first.
    if (task.exists(_.attemptNumber() > 0)) opened.journal.probe()
    opened
  }

  private def finish(): TaskCommit = result.getOrElse {
    if (sender.isEmpty && job.clustered && !earlier.isEmpty) open()
    val commit = sender match {
      case Some(open) =>
        val stats = open.finish()
        val files = open.earlier.files ++ open.journal.result
        TaskCommit(partition, files, stats.outcomes, open.earlier.damaged, stats.traffic.latencies)
      case None => TaskCommit(partition, Nil, Outcomes(), Nil)
    }
    result = Some(commit)
    commit
  }

  /** Stops sending when Spark has killed the task. */
  private def checkAlive(): Unit =
    if (task.exists(_.isInterrupted())) {
      sender.foreach(_.salvage())
      throw new TaskKilledException("the task was killed while it sent rows")
    }
}

private object SendingWriter {

  /** Longest native wait, in milliseconds. */
  val Slice = 100L

  /** Time between two tellings of how far a task is, in milliseconds. */
  val Telling = 1000L

  /** Most rows of one batch of responses; the native library's memory budget bounds their bytes. */
  val ResponseRows = 4096

  def notClustered(runId: String): IllegalStateException = new IllegalStateException(
    s"Spark did not spread the rows of run $runId by their id over the number of partitions that was required: rows" +
      " were not sent. Please report this with the query's plan (df.explain)."
  )
}

/** Session, batch and journal of a task attempt that has rows. Owns all of them. */
private final class Sender(
    allocator: BufferAllocator,
    batch: SourceBatch,
    session: NativeSession,
    val journal: JournalWriter,
    flushMillis: Long,
    graceMillis: Long,
    hadoopConf: Configuration,
    progress: ProgressAccumulator,
    checkAlive: () => Unit
) extends AutoCloseable {

  private val log = LoggerFactory.getLogger(classOf[SendingWriter])
  private var found = EarlierFiles(Nil, Nil)
  private var salvaged = false
  private var kept = System.nanoTime()
  private var toldAt = System.nanoTime()

  private val sqlMetrics = TaskSqlMetrics.find(WriteMetrics.all)

  private var told: Array[CustomTaskMetric] = Array.empty

  /** As they were told last; exact after [[finish]]. */
  def metrics: Array[CustomTaskMetric] = told

  /** What earlier attempts have left. */
  def earlier: EarlierFiles = found

  /** Takes the answers of earlier attempts over. Before the first row. */
  def resume(answers: EarlierAnswers): Unit = {
    found = answers.load(allocator) { records =>
      checkAlive()
      session.resume(records)
    }
    found.damaged.foreach(what => log.warn(s"$what; its rows are sent again"))
  }

  /** Leaves the rows out that earlier runs have delivered. Before the first row. */
  def skip(delivered: DeliveredIds, partition: Int): Unit =
    delivered.read(partition, hadoopConf) { ids =>
      checkAlive()
      session.skip(ids)
    }

  def write(row: InternalRow): Unit = {
    batch.write(row)
    if (batch.isFull) submit()
  }

  /** Sends what is left, waits for every answer and finishes the journal. */
  def finish(): SessionStats = {
    if (!batch.isEmpty) submit()
    session.finish()
    while ((step(finishing = true) & Native.DONE) == 0) {}
    // The lines of the last answers.
    takeLogs()
    journal.flush()
    tell()
  }

  /**
   * After a failure: what is in flight may be answered within the grace time, and answers are journaled, as far as
   * possible. Does nothing when called again.
   */
  def salvage(): Unit = if (!salvaged) {
    salvaged = true
    try {
      drain()
      // Else rows would go on to be sent whose answers nobody takes.
      session.stop()
      while (takeResponses()) {}
    } catch {
      case NonFatal(e) => log.warn("no more answers can be kept", e)
    }
    // The session last: an executor that ends waits for that (ApiSinkPlugin).
    try journal.close()
    finally session.close()
  }

  override def close(): Unit =
    try session.close()
    finally
      try journal.close()
      finally
        try batch.close()
        finally allocator.close()

  private def drain(): Unit = {
    val deadline = System.nanoTime() + graceMillis * 1000000L
    while (System.nanoTime() < deadline && !session.drain(SendingWriter.Slice)) while (takeResponses()) {}
  }

  private def submit(): Unit = {
    batch.finish()
    while ((step(finishing = false) & Native.READY_FOR_ROWS) == 0) {}
    session.submit(batch.root)
    // Native code has released the batch when submit returns.
    batch.reset()
  }

  /** One wait and what it calls for. */
  private def step(finishing: Boolean): Int = {
    val ready = session.await(SendingWriter.Slice, finishing)
    checkAlive()
    if ((ready & Native.LOGS) != 0) takeLogs()
    if ((ready & Native.RESPONSES) != 0) takeResponses()
    keepWhatIsDue()
    tellProgress()
    ready
  }

  /**
   * Brings every answer that has arrived into a visible file, once per flush interval: native code says that there are
   * responses when they fill a batch, which at a low rate they do not for a long time.
   */
  private def keepWhatIsDue(): Unit =
    if (System.nanoTime() - kept >= flushMillis * 1000000L) {
      while (takeResponses()) {}
      journal.flush()
      kept = System.nanoTime()
    }

  private def tellProgress(): Unit =
    if (System.nanoTime() - toldAt >= SendingWriter.Telling * 1000000L) {
      tell()
      toldAt = System.nanoTime()
    }

  private def tell(): SessionStats = {
    val stats = session.stats()
    progress.set(stats.outcomes)
    told = WriteMetrics.ofTask(stats)
    sqlMetrics.set(told)
    stats
  }

  private def takeLogs(): Unit = session.takeLogs().foreach(NativeLog.write)

  /** @return whether there was anything */
  private def takeResponses(): Boolean = {
    val rows = session.takeResponses(SendingWriter.ResponseRows)
    if (rows > 0) {
      journal.append(session.responses)
      session.clearResponses()
    }
    rows > 0
  }
}

private object Sender {

  /** Opens all parts, or none. */
  def open(job: WriteJob, partition: Int, taskAttemptId: Long, checkAlive: () => Unit): Sender = {
    val allocator = ArrowTypes.newAllocator(s"apisink ${job.runId} partition $partition attempt $taskAttemptId")
    var batch: SourceBatch = null
    try {
      batch = new SourceBatch(job.columns, job.ordinals, job.batchRows, job.batchBytes, allocator)
      val identity = TaskIdentity.current(job.runId, job.opening, partition, taskAttemptId, job.keeper)
      val session = NativeSession.open(job.plan, job.secrets, identity, batch.arrowSchema, allocator)
      val journal = new JournalWriter(
        new Path(job.directory),
        partition,
        JournalWriter.attemptLabel(taskAttemptId),
        job.limits,
        job.hadoopConf.value.value
      )
      new Sender(
        allocator,
        batch,
        session,
        journal,
        job.limits.millis,
        ApiSinkPlugin.grace(SparkEnv.get.conf),
        job.hadoopConf.value.value,
        job.progress,
        checkAlive
      )
    } catch {
      case e: Throwable =>
        if (batch != null) batch.close()
        allocator.close()
        throw e
    }
  }
}
