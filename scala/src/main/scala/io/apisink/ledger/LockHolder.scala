package io.apisink.ledger

import java.net.InetAddress
import java.nio.file.{Files => LocalFiles, Path => LocalPath}
import java.time.Instant

import scala.util.Try
import scala.util.control.NonFatal

import io.apisink.Json
import io.apisink.Json._

/**
 * The driver that holds a run's lock.
 *
 * @param started when the process began, in milliseconds since 1970: process ids are used again
 * @param machine names the running system and its process ids' namespace; none where that cannot be told
 * @param since ISO 8601, UTC
 */
final case class LockHolder(
    host: String,
    pid: Long,
    started: Long,
    machine: Option[String],
    applicationId: String,
    since: String
) {

  def describe: String = s"process $pid on $host, application $applicationId, since $since"

  /** Whether this process certainly is no more; `asker` is a process that runs here, now. */
  def isGone(asker: LockHolder): Boolean =
    machine.isDefined && machine == asker.machine &&
      !LockHolder.startOf(ProcessHandle.of(pid)).exists(now => math.abs(now - started) < LockHolder.ClockSlack)

  def toJson: Array[Byte] = {
    val json = Json.newObject().put("host", host).put("pid", pid).put("started", started)
    machine.foreach(json.put("machine", _))
    Json.prettyBytes(json.put("applicationId", applicationId).put("since", since))
  }
}

object LockHolder {

  /** Milliseconds: the start of a process is derived from the clock, which may be set meanwhile. */
  private val ClockSlack = 10000L

  /** For a lock whose file cannot be read. */
  val unknown: LockHolder = LockHolder("an unknown host", 0, 0, None, "unknown", "an unknown time")

  /** The calling process. */
  def here(applicationId: String): LockHolder = LockHolder(
    Try(InetAddress.getLocalHost.getHostName).getOrElse("localhost"),
    ProcessHandle.current().pid(),
    startOf(java.util.Optional.of(ProcessHandle.current())).getOrElse(0L),
    machine,
    applicationId,
    Instant.now().toString
  )

  def fromJson(bytes: Array[Byte]): LockHolder =
    try {
      val json = Json.parse(bytes)
      LockHolder(
        json.string("host"),
        json.long("pid"),
        json.long("started"),
        json.optionalString("machine"),
        json.string("applicationId"),
        json.string("since")
      )
    } catch {
      // A torn lock is a lock.
      case NonFatal(_) => unknown
    }

  private[ledger] def startOf(process: java.util.Optional[ProcessHandle]): Option[Long] =
    Option(process.orElse(null)).filter(_.isAlive).map(_.info().startInstant().map[Long](_.toEpochMilli).orElse(0L))

  /** Linux: the boot, and the namespace that process ids belong to. A host's name is not enough: containers share it. */
  private def machine: Option[String] = Try {
    val boot = LocalFiles.readString(LocalPath.of("/proc/sys/kernel/random/boot_id")).trim
    val namespace = LocalFiles.readSymbolicLink(LocalPath.of("/proc/self/ns/pid")).toString
    s"$boot $namespace"
  }.toOption
}
