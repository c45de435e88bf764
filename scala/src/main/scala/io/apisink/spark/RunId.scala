package io.apisink.spark

import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8
import java.security.MessageDigest
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

import io.apisink.ConfigException

/** Names of runs: given by the caller, else derived. */
object RunId {

  private val Valid = "[A-Za-z0-9._-]{1,128}"

  /** A caller's id, if it can be a directory's name and stand in a header everywhere. */
  def checked(runId: String): String = {
    if (!runId.matches(Valid) || runId.matches("\\.+")) {
      throw new ConfigException(
        "OPTION_RUN_ID",
        s"'$runId' is no run id",
        "Write 1 to 128 letters, digits, dots, underscores and hyphens."
      )
    }
    runId
  }

  /**
   * The id of the `ordinal`-th write of a plan by an application: the same on a restarted driver of the same
   * application. A UUID of version 8 made of a SHA-256.
   */
  def derived(applicationId: String, planDigest: String, ordinal: Long): String = {
    val digest = MessageDigest.getInstance("SHA-256").digest(s"$applicationId\n$planDigest\n$ordinal".getBytes(UTF_8))
    val bytes = ByteBuffer.wrap(digest)
    val high = (bytes.getLong & ~0xf000L) | 0x8000L
    val low = (bytes.getLong & 0x3fffffffffffffffL) | 0x8000000000000000L
    new UUID(high, low).toString
  }
}

/**
 * How often each plan was written by this application.
 *
 * Process-wide state: one number for each application and plan of this driver, for the life of the class loader; small,
 * and free of credentials.
 */
private[apisink] object RunOrdinals {

  private val ordinals = new ConcurrentHashMap[(String, String), AtomicLong]

  /** The ordinal of the next write, which stays the next. */
  def peek(applicationId: String, planDigest: String): Long = counter(applicationId, planDigest).get()

  /** The ordinal of this write. */
  def take(applicationId: String, planDigest: String): Long = counter(applicationId, planDigest).getAndIncrement()

  private def counter(applicationId: String, planDigest: String): AtomicLong =
    ordinals.computeIfAbsent((applicationId, planDigest), _ => new AtomicLong)
}
