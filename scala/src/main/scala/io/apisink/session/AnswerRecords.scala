package io.apisink.session

import java.io.{ByteArrayOutputStream, DataOutputStream}
import java.util.UUID

/** Collects journaled answers for `Native.resume`: 29 bytes each. */
private[apisink] final class AnswerRecords {

  private val bytes = new ByteArrayOutputStream
  private val out = new DataOutputStream(bytes)

  /**
   * @param digest 32 hexadecimal digits; null when there is none, which no request equals
   * @param outcome a word of the sink's `outcome` column
   */
  def add(requestId: UUID, digest: String, attempts: Int, outcome: String): Unit = {
    val number = AnswerRecords.Outcomes.indexOf(outcome)
    require(number >= 0, s"the journal has the outcome '$outcome', which this version does not know")
    out.writeLong(requestId.getMostSignificantBits)
    out.writeLong(requestId.getLeastSignificantBits)
    out.writeLong(if (digest == null) 0L else java.lang.Long.parseUnsignedLong(digest.take(AnswerRecords.Digits), 16))
    out.writeInt(attempts)
    out.writeByte(number)
  }

  def toBytes: Array[Byte] = bytes.toByteArray
}

private object AnswerRecords {

  /** Hexadecimal digits of 8 bytes. */
  val Digits = 16

  /** In the native library's order. */
  val Outcomes: Seq[String] =
    Seq("success", "http_error", "transport_error", "invalid_row", "invalid_response", "unknown")
}
