package io.apisink.ledger

import java.time.Instant
import java.util.concurrent.ConcurrentHashMap

import scala.annotation.tailrec

import io.apisink.{Json, LedgerException}
import io.apisink.journal.Files
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/**
 * Keeps two drivers apart that run the same run.
 *
 * As all of the ledger it is made of files that are created once: `lock-<n>.json` says who took the run as the n-th,
 * `unlock-<n>.json` that it was given back. The highest n counts, so that a driver whose lock was taken over can see it
 * ([[isOurs]]), and of two that take over at once one succeeds. Used on the driver, by one thread.
 *
 * The lock saves work, it does not carry the guarantee: what reaches the sink is decided by manifests.
 *
 * @param directory the run's
 */
final class RunLock(directory: Path, conf: Configuration) {

  private val files = new Files(conf)
  private var taken: Option[Int] = None

  /**
   * Takes the run, once.
   *
   * A lock that was not given back is still taken over when its process was one of this machine and is gone, and when
   * `takeOver` says so.
   *
   * @return who lost it, if somebody did
   * @throws LedgerException when another driver has it
   */
  def take(who: LockHolder, takeOver: Boolean): Option[LockHolder] = {
    require(taken.isEmpty, "the lock is taken once")
    attempt(who, takeOver)
  }

  @tailrec
  private def attempt(who: LockHolder, takeOver: Boolean): Option[LockHolder] = {
    val before = current()
    before.foreach { case (_, holder) => if (!takeOver && !holder.isGone(who)) throw RunLock.held(holder, directory) }
    val number = latest(files.names(directory)).fold(0)(_ + 1)
    if (files.createAtomic(new Path(directory, RunLock.name(number)), who.toJson)) {
      taken = Some(number)
      RunLock.givenBack.remove(new Path(directory, RunLock.name(number)))
      before.map(_._2)
    } else {
      // Somebody was quicker, who is not to be robbed by the same word.
      attempt(who, takeOver = false)
    }
  }

  /** Whether the run is still this driver's. */
  def isOurs: Boolean = taken.isDefined && latest(files.names(directory)) == taken

  /** Fails when the run was taken over by another driver. */
  def check(): Unit = if (!isOurs) {
    val other = current().fold("another driver")(_._2.describe)
    throw new LedgerException(
      "RUN_TAKEN_OVER",
      s"the run in $directory was taken over by $other; this driver commits nothing",
      "Let the other driver finish: it finds the answers that this one has journaled."
    )
  }

  /**
   * Gives the run back. May be called again, and by a driver that never had it. When that cannot be written, as on a full
   * disk, this process remembers it: others see that it is alive and wait, but a next write of its own goes on.
   */
  def release(): Unit = {
    val held = taken
    taken = None
    held.foreach { number =>
      try files.createAtomic(new Path(directory, RunLock.unlockName(number)), RunLock.released)
      catch {
        case e: Throwable =>
          RunLock.givenBack.add(new Path(directory, RunLock.name(number)))
          throw e
      }
    }
  }

  /** Removes every trace of the lock: for a run that is done, which nobody takes any more. */
  def dissolve(): Unit = {
    taken = None
    val names = files.names(directory)
    // The last one goes last: until then nobody is led to believe that the run is free.
    val locks = names.collect { case RunLock.Name(number) => number.toInt }.sorted
    locks.flatMap(n => Seq(RunLock.unlockName(n), RunLock.name(n))).filter(names.contains).foreach { name =>
      files.deleteRecursively(new Path(directory, name))
    }
  }

  private def current(): Option[(Int, LockHolder)] = {
    val names = files.names(directory)
    latest(names)
      .map(number => number -> new Path(directory, RunLock.name(number)))
      .filterNot { case (number, file) =>
        names.contains(RunLock.unlockName(number)) || RunLock.givenBack.contains(file)
      }
      .map { case (number, file) => number -> files.read(file).fold(LockHolder.unknown)(LockHolder.fromJson) }
  }

  private def latest(names: Seq[String]): Option[Int] =
    names.collect { case RunLock.Name(number) => number.toInt }.maxOption
}

object RunLock {

  /** Locks that this process has given back, though that could not be written. */
  private val givenBack: java.util.Set[Path] = ConcurrentHashMap.newKeySet()

  private val Name = "lock-(\\d+)\\.json".r

  private def name(number: Int): String = s"lock-$number.json"

  private def unlockName(number: Int): String = s"unlock-$number.json"

  private def released: Array[Byte] = Json.bytes(Json.newObject().put("time", Instant.now().toString))

  private def held(holder: LockHolder, directory: Path): LedgerException = new LedgerException(
    "RUN_LOCKED",
    s"the run in $directory belongs to ${holder.describe}",
    "Wait until that driver ends. If it is dead, which cannot be seen from here, write again with" +
      " .option(\"takeOver\", true); if it is not, rows that both send reach the API twice, with the same request ids."
  )
}
