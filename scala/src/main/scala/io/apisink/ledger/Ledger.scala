package io.apisink.ledger

import java.time.Instant

import scala.util.control.NonFatal

import io.apisink.{Json, LedgerException, Outcomes}
import com.fasterxml.jackson.databind.JsonNode

import io.apisink.journal.{DeliveredIds, Files, JournalFile}
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/**
 * The record of a run's state, in `<journal>/<run_id>/`. Every step is a file that is created once and never changed:
 *
 *  - `open.json`: the run exists; what must not change from now on ([[OpenRecord]])
 *  - `manifest-<n>.json`: commit n will take exactly these files ([[Manifest]])
 *  - `withdrawn-<n>.json`: commit n could not be made and never will be
 *  - `done-<n>.json`: commit n is in the sink
 *  - `done.json`: every row is in the sink
 *
 * The state is read from which of them exist, see [[LedgerState]]. Next to them stand the run's lock ([[RunLock]]) and
 * the partitions' directories with the journal's files, until the run is done. Used on the driver, by one thread. Two
 * drivers that go on with the same run all the same are kept apart by the creation of files without overwriting and by
 * the sink's transaction ids.
 */
final class Ledger(val directory: Path, conf: Configuration) {

  private val files = new Files(conf)

  /** Reads the state. Changes nothing. */
  def state(): LedgerState = {
    val names = files.names(directory).toSet
    val (inSink, pending) = Ledger.manifests(names)
      .filterNot(number => names.contains(Ledger.withdrawnName(number)))
      .partition(number => names.contains(Ledger.doneName(number)))
    if (names.contains(Ledger.Done)) LedgerState.Done
    else if (pending.nonEmpty) LedgerState.Committing(pending.head, inSink = false)
    else if (inSink.nonEmpty) LedgerState.Committing(inSink.last, inSink = true)
    else if (names.contains(Ledger.Open)) LedgerState.Open
    else LedgerState.Absent
  }

  /** The number of the next commit: none is used twice. */
  def nextNumber(): Int = Ledger.manifests(files.names(directory).toSet).lastOption.fold(0)(_ + 1)

  /** What was fixed when the run was opened; none when it was not. Changes nothing. */
  def opened(): Option[OpenRecord] = read(Ledger.Open)(OpenRecord.fromJson)

  /**
   * Opens the run, or finds it opened before, in whichever state it is now.
   *
   * @return the record that counts from now on: the first one
   * @throws LedgerException when the run was opened with something else that matters
   */
  def open(record: OpenRecord): OpenRecord = {
    files.createPrivateDirectory(directory.getParent)
    files.createPrivateDirectory(directory)
    if (opened().isEmpty && create(Ledger.Open, record.toJson)) record
    else {
      check(record)
      opened().getOrElse(throw new IllegalStateException(s"${Ledger.Open} vanished from $directory"))
    }
  }

  /**
   * Compares a record with the one that the run was opened with, if it was. Changes nothing.
   *
   * @throws LedgerException when they differ in what matters
   */
  def check(record: OpenRecord): Unit = opened().foreach { first =>
    val conflicts = first.conflicts(record)
    if (conflicts.nonEmpty) throw Ledger.conflict(first, conflicts, directory)
  }

  /** Promises a commit. A manifest of that number must not exist. */
  def promise(manifest: Manifest): Unit =
    if (!create(Ledger.manifestName(manifest.number), manifest.toJson)) {
      throw new LedgerException(
        "LEDGER_BUSY",
        s"the run in $directory has manifest ${manifest.number} already: another driver is committing the same run",
        "Let the other driver finish, then run again with the same runId: what is done is not done again."
      )
    }

  def manifest(number: Int): Manifest = read(Ledger.manifestName(number))(Manifest.fromJson).getOrElse {
    throw Ledger.damaged(new Path(directory, Ledger.manifestName(number)), "there is no such file", null)
  }

  /** Notes that commit `number`, which the sink has not taken, will never be made. Its answers may be in a later one. */
  def withdraw(number: Int, why: String): Unit = {
    val json = Json.newObject().put("number", number).put("time", now).put("why", why)
    create(Ledger.withdrawnName(number), Json.bytes(json))
    ()
  }

  /** Notes that commit `number` is in the sink. */
  def committed(number: Int): Unit = {
    create(Ledger.doneName(number), Json.bytes(Json.newObject().put("number", number).put("time", now)))
    ()
  }

  /** Notes that every row is in the sink. */
  def finish(outcomes: Outcomes): Unit = {
    val json = Json.newObject().put("format", OpenRecord.Format).put("time", now)
    json.set[JsonNode]("outcomes", outcomes.toJson)
    create(Ledger.Done, Json.bytes(json))
    ()
  }

  /** How the rows of a finished run ended; none when it is not finished. */
  def finished(): Option[Outcomes] =
    read(Ledger.Done)(bytes => Outcomes.fromJson(Json.parse(bytes).required("outcomes")))

  /** Partitions whose directories hold finished journal files; those of `except` are not looked at. */
  def journaledPartitions(except: Set[Int]): Seq[Int] =
    files.names(directory)
      .filter(JournalFile.isPartitionDirectory)
      .map(name => name.drop(1).toInt -> name)
      .collect { case (number, name) if !except(number) && hasFiles(new Path(directory, name)) => number }
      .sorted

  /** Removes the journal's files; the ledger stays. Only for a run that is done. */
  def removeJournal(): Unit =
    files.names(directory)
      .filter(name => JournalFile.isPartitionDirectory(name) || name == DeliveredIds.Directory)
      .foreach(name => files.deleteRecursively(new Path(directory, name)))

  private def hasFiles(partition: Path): Boolean = files.names(partition).exists(JournalFile.isFinished)

  private def now: String = Instant.now().toString

  private def create(name: String, content: Array[Byte]): Boolean =
    files.createAtomic(new Path(directory, name), content)

  private def read[T](name: String)(parse: Array[Byte] => T): Option[T] = {
    val file = new Path(directory, name)
    files.read(file).map { bytes =>
      try parse(bytes)
      catch {
        case NonFatal(e) => throw Ledger.damaged(file, String.valueOf(e.getMessage), e)
      }
    }
  }
}

object Ledger {

  private val Open = "open.json"
  private val Done = "done.json"
  private val ManifestName = "manifest-(\\d+)\\.json".r

  private def manifests(names: Set[String]): Seq[Int] =
    names.toSeq.collect { case ManifestName(number) => number.toInt }.sorted

  private def manifestName(number: Int): String = s"manifest-$number.json"

  private def withdrawnName(number: Int): String = s"withdrawn-$number.json"

  private def doneName(number: Int): String = s"done-$number.json"

  private def damaged(file: Path, why: String, cause: Throwable): LedgerException = new LedgerException(
    "LEDGER_DAMAGED",
    s"$file could not be read: $why",
    "Use the version of apisink that wrote it, or another runId.",
    cause
  )

  private def conflict(
      first: OpenRecord,
      conflicts: Seq[(String, String, String)],
      directory: Path
  ): LedgerException = {
    val lines = conflicts.map { case (what, was, is) => s"\n  $what: was $was, is $is" }
    new LedgerException(
      "RUN_CONFLICT",
      s"run ${first.runId} was opened on ${first.created} with something else, see $directory:${lines.mkString}",
      "Undo the change to go on with that run, or choose another runId to send every row again."
    )
  }
}
