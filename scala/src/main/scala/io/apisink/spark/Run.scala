package io.apisink.spark

import java.util.Locale

import scala.util.control.NonFatal

import io.apisink.{JournalException, LedgerException, Outcomes, RunResult}
import io.apisink.journal.ResumeRule
import io.apisink.ledger.{Ledger, LedgerState, LockHolder, Manifest, OpenRecord, PartitionFiles, RunLock}

/**
 * A run on the driver: from the opening of its ledger to `done`.
 *
 * The protocol, whose every step may be the last one before a crash:
 *
 *  1. the ledger is opened and the run's lock taken; tasks send and journal
 *  1. a manifest lists the journal's files
 *  1. they are appended to the sink, with the ledger's transaction id and the manifest's number as the sink's transaction
 *  1. the ledger says so, and that the run is done
 *  1. the journal's files and the lock are removed
 *
 * Whoever finds a run between two steps goes on from there. The sink silently leaves out a transaction that it has taken
 * before. That is right, and the only thing it can mean is that step 3 was done for this very manifest: the transaction
 * id was made with this ledger, numbers are given once, and a manifest never changes. A manifest that cannot be appended
 * because a file of it is damaged is withdrawn, and what is missing is sent again.
 *
 * @param rule which answers in the journal are not asked for again
 * @param driver this process, for the lock
 * @param takeOver whether a lock is taken over whose holder cannot be seen to be dead
 * @param dryRun whether requests are rendered and not sent
 * @param report gets the run's result when it is known, once
 */
private[spark] final class Run(
    val id: String,
    idIsGiven: Boolean,
    ledger: Ledger,
    lock: RunLock,
    sink: RunSink,
    rule: ResumeRule,
    driver: LockHolder,
    takeOver: Boolean,
    dryRun: Boolean = false,
    report: RunResult => Unit = _ => ()
) {

  private val begun = System.nanoTime()
  private var transaction = ""
  private var number = 0

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
    val isNew = ledger.state() == LedgerState.Absent
    val first = ledger.open(record)
    transaction = first.transaction
    if (ledger.state() == LedgerState.Done) {
      foundDone()
      None
    } else {
      lock.take(driver, takeOver).foreach { other =>
        Console.warn(id, s"taken over from ${other.describe}")
      }
      try {
        val left = goOn(first, isNew)
        // Now, not at the commit: a driver that another one has overtaken must find its number used.
        number = ledger.nextNumber()
        left
      } catch {
        case e: Throwable =>
          lock.release()
          throw e
      }
    }
  }

  /** Brings the answers of all tasks into the sink. */
  def commit(tasks: Seq[TaskCommit]): Unit = {
    tasks.flatMap(_.damaged).foreach(what => Console.warn(id, s"$what; its rows were sent again"))
    val partitions = tasks.sortBy(_.partition).filter(_.files.nonEmpty).map(t => PartitionFiles(t.partition, t.files))
    refuseToForget(tasks)
    lock.check()
    val manifest = Manifest(number, partitions, rule, tasks.map(_.outcomes).foldLeft(Outcomes())(_ + _))
    ledger.promise(manifest)
    append(manifest)
    finish(manifest)
  }

  /** Says how to go on. Removes nothing: answers are in the journal, and tasks may still be running. */
  def failed(): Unit = {
    Console.say(
      id,
      s"failed; what was answered is in ${ledger.directory}. To go on, write again with .option(\"runId\", \"$id\")"
    )
    // The disk that is full for answers is full for this, too.
    try lock.release()
    catch {
      case NonFatal(e) => Console.warn(
          id,
          s"the run's lock could not be given back (${e.getMessage}): the next write takes it over by itself on this" +
            " machine, elsewhere with .option(\"takeOver\", true)"
        )
    }
  }

  /** Looks at the state only now: another driver may have ended meanwhile. */
  private def goOn(first: OpenRecord, isNew: Boolean): Option[OpenRecord] = ledger.state() match {
    case LedgerState.Done =>
      lock.release()
      foundDone()
      None
    case LedgerState.Committing(number, inSink) =>
      Console.say(id, s"all rows were sent before, commit $number to ${sink.name} is finished now; nothing is sent")
      val manifest = ledger.manifest(number)
      try {
        if (!inSink) append(manifest)
        finish(manifest)
        None
      } catch {
        case e: LedgerException if e.code == Run.Withdrawn =>
          Console.warn(id, s"${e.getMessage.linesIterator.nextOption().getOrElse("")}; its rows are sent again")
          Some(first)
      }
    case _ =>
      Console.say(
        id,
        if (isNew) s"opened with ${first.partitions} partitions; journal ${ledger.directory}; sink ${sink.name}"
        else s"opened on ${first.created} and not finished, goes on with ${first.partitions} partitions; rows whose" +
          s" answers are in the journal are not sent again; journal ${ledger.directory}; sink ${sink.name}"
      )
      Some(first)
  }

  private def foundDone(): Unit = {
    val outcomes = ledger.finished().getOrElse(Outcomes())
    Console.say(
      id,
      s"was finished before with ${outcomes.rows} rows; nothing is sent and nothing is written to ${sink.name}"
    )
    report(result(outcomes, finishedBefore = true))
    cleanUp()
  }

  private def append(manifest: Manifest): Unit =
    try {
      lock.check()
      sink.append(manifest, transaction)
    } catch {
      case e: Throwable => throw Run.damage(e).fold(e) { damage =>
          // Its tasks failed, so the sink has nothing of it.
          val why = damage.getMessage.linesIterator.nextOption().getOrElse("")
          ledger.withdraw(manifest.number, why)
          new LedgerException(
            Run.Withdrawn,
            s"commit ${manifest.number} to ${sink.name} was withdrawn: $why",
            damage.hint,
            e
          )
        }
    }

  private def finish(manifest: Manifest): Unit = {
    ledger.committed(manifest.number)
    ledger.finish(manifest.outcomes)
    Console.say(id, summary(manifest.outcomes))
    report(result(manifest.outcomes, finishedBefore = false))
    cleanUp()
  }

  private def cleanUp(): Unit = {
    lock.dissolve()
    ledger.removeJournal()
  }

  /** A source that has lost rows must not take the answers of these rows with it. */
  private def refuseToForget(tasks: Seq[TaskCommit]): Unit = {
    val looked = tasks.filter(task => task.files.nonEmpty || task.damaged.nonEmpty).map(_.partition).toSet
    val forgotten = ledger.journaledPartitions(except = looked)
    if (forgotten.nonEmpty) {
      throw new LedgerException(
        "SOURCE_CHANGED",
        s"the journal ${ledger.directory} has answers in ${forgotten.size} partitions of which the source has no row" +
          " now: it is not the source that the run began with",
        "Write the same rows with the same runId, or others with another one."
      )
    }
  }

  private def summary(outcomes: Outcomes): String = {
    val counts = outcomes.byName.map { case (name, count) => s"$name=$count" }.mkString(" ")
    val resumed = if (outcomes.resumed > 0) s" resumed=${outcomes.resumed}" else ""
    val skipped = if (outcomes.skipped > 0) s" skipped=${outcomes.skipped}" else ""
    val seconds = "%.1f".formatLocal(Locale.ROOT, (System.nanoTime() - begun) / 1e9)
    val what = if (dryRun) "rendered, nothing was sent" else "done"
    s"$what: rows=${outcomes.rows} $counts attempts=${outcomes.attempts}$resumed$skipped seconds=$seconds" +
      s" sink=${sink.name}"
  }

  private def result(outcomes: Outcomes, finishedBefore: Boolean): RunResult =
    new RunResult(id, outcomes, sink.name, (System.nanoTime() - begun) / 1000000L, finishedBefore, dryRun)

  private def unknownToLedger(): LedgerException = new LedgerException(
    "RUN_UNKNOWN",
    s"the sink ${sink.name} has rows of run $id already, but ${ledger.directory} knows nothing of it: every row would" +
      " be sent again and stand in the sink twice",
    "Let the journal's path be the one of the first time, or choose another runId to send every row again."
  )
}

private object Run {

  /** Code of the exception after which the run is as before the commit. */
  val Withdrawn = "COMMIT_WITHDRAWN"

  /** The damaged journal file that a failed append is about. */
  def damage(e: Throwable): Option[JournalException] =
    Iterator.iterate(e)(_.getCause).takeWhile(_ != null).take(100).collectFirst {
      case damage: JournalException if damage.code == JournalException.DAMAGED => damage
    }
}
