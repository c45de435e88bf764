package io.apisink.spark

import java.util.Locale

import io.apisink.{LedgerException, Outcomes}
import io.apisink.ledger.{Ledger, LedgerState, Manifest, OpenRecord, PartitionFiles}
import io.apisink.sink.DeltaSink
import org.apache.spark.sql.SparkSession

/**
 * A run on the driver: from the opening of its ledger to `done`.
 *
 * The protocol, whose every step may be the last one before a crash:
 *
 *  1. the ledger is opened; tasks send and journal
 *  1. a manifest lists the journal's files
 *  1. they are appended to the sink, with the run's id and the manifest's number as the sink's transaction
 *  1. the ledger says so, and that the run is done
 *  1. the journal's files are removed
 *
 * Whoever finds a run between two steps goes on from there.
 */
private[spark] final class Run(
    spark: SparkSession,
    val id: String,
    idIsGiven: Boolean,
    ledger: Ledger,
    sink: DeltaSink
) {

  private val begun = System.nanoTime()

  /** Refuses a run that could not be opened. Changes nothing; called before Spark computes the first source row. */
  def check(record: OpenRecord): Unit = {
    sink.check()
    ledger.check(record)
    if (ledger.state() == LedgerState.Absent && idIsGiven && sink.holds(id)) throw unknownToLedger()
  }

  /**
   * Opens the run and finishes a commit that was interrupted.
   *
   * @return the record that the run goes by; none when nothing is left to send
   */
  def open(record: OpenRecord): Option[OpenRecord] = {
    val state = ledger.state()
    val first = ledger.open(record)
    state match {
      case LedgerState.Absent =>
        Console.say(id, s"opened with ${first.partitions} partitions; journal ${ledger.directory}; sink ${sink.name}")
        Some(first)
      case LedgerState.Open =>
        Console.say(
          id,
          s"opened on ${first.created} and not finished, goes on with ${first.partitions} partitions; rows that were" +
            s" answered before are sent again, with the same request ids; journal ${ledger.directory}; sink ${sink.name}"
        )
        Some(first)
      case LedgerState.Committing(number, inSink) =>
        Console.say(id, s"all rows were sent before, commit $number to ${sink.name} is finished now; nothing is sent")
        val manifest = ledger.manifest(number)
        if (!inSink) append(manifest)
        finish(manifest)
        None
      case LedgerState.Done =>
        val rows = ledger.finished().fold("")(outcomes => s" with ${outcomes.rows} rows")
        Console.say(id, s"was finished before$rows; nothing is sent and nothing is written to ${sink.name}")
        ledger.removeJournal()
        None
    }
  }

  /** Brings the answers of all tasks into the sink. */
  def commit(tasks: Seq[TaskCommit]): Unit = {
    val partitions = tasks.sortBy(_.partition).filter(_.files.nonEmpty).map(t => PartitionFiles(t.partition, t.files))
    val manifest = Manifest(0, partitions, tasks.map(_.outcomes).foldLeft(Outcomes())(_ + _))
    ledger.promise(manifest)
    append(manifest)
    finish(manifest)
  }

  /** Says how to go on. Removes nothing: answers are in the journal, and tasks may still be running. */
  def failed(): Unit =
    Console.say(
      id,
      s"failed; what was answered is in ${ledger.directory}. To go on, write again with .option(\"runId\", \"$id\")"
    )

  private def append(manifest: Manifest): Unit = {
    val responses = spark.read
      .format(classOf[ApiSinkProvider].getName)
      .option("journal", ledger.directory.toString)
      .option("manifest", manifest.number.toLong)
      .load()
    val files = DeltaSink.fileCount(manifest.rows, manifest.bytes, manifest.partitions.size)
    sink.append(responses, id, manifest.number, files)
  }

  private def finish(manifest: Manifest): Unit = {
    ledger.committed(manifest.number)
    ledger.finish(manifest.outcomes)
    Console.say(id, summary(manifest.outcomes))
    ledger.removeJournal()
  }

  private def summary(outcomes: Outcomes): String = {
    val counts = outcomes.byName.map { case (name, count) => s"$name=$count" }.mkString(" ")
    val seconds = "%.1f".formatLocal(Locale.ROOT, (System.nanoTime() - begun) / 1e9)
    s"done: rows=${outcomes.rows} $counts attempts=${outcomes.attempts} seconds=$seconds sink=${sink.name}"
  }

  private def unknownToLedger(): LedgerException = new LedgerException(
    "RUN_UNKNOWN",
    s"the sink ${sink.name} has rows of run $id already, but ${ledger.directory} knows nothing of it: every row would" +
      " be sent again and the sink would not take the answers",
    "Let the journal's path be the one of the first time, or choose another runId to send every row again."
  )
}
