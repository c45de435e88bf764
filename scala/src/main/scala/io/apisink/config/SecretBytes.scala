package io.apisink.config

import io.apisink.Json

/**
 * Secret values of a run as the native library encodes them, on their way to the executors. A type of its own, so that
 * neither a log line nor a plan string can print them.
 */
final class SecretBytes(private val bytes: Array[Byte]) extends Serializable {

  /** Whether there is no value. The encoding is a JSON list. */
  def isEmpty: Boolean = Json.parse(bytes).isEmpty

  /** The values. For native calls only. */
  private[apisink] def expose: Array[Byte] = bytes

  override def toString: String = "***"
}
