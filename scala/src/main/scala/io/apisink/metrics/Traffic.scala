package io.apisink.metrics

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json._

/**
 * What completed rows have cost, as the native library counts it. Rows that an earlier task attempt has sent are not
 * among them.
 *
 * @param rows rows
 * @param failures those of them that were no success
 * @param attempts HTTP round trips
 * @param repeats those among them that followed another one of their row, by what became of that one
 * @param throttledMillis time that attempts have waited for the rate limit, summed up over them
 * @param bytesSent of requests as they left, TLS included, where an answer came
 * @param bytesReceived of answers as they came
 * @param latencies of attempts that got an answer, waits for the rate limit and the pool left out
 */
final case class Traffic(
    rows: Long,
    failures: Long,
    attempts: Long,
    repeats: Repeats,
    throttledMillis: Long,
    bytesSent: Long,
    bytesReceived: Long,
    latencies: Latencies
)

object Traffic {

  val none: Traffic = Traffic(0, 0, 0, Repeats(0, 0, 0, 0, 0, 0, 0), 0, 0, 0, Latencies.none)

  def fromJson(node: JsonNode): Traffic = Traffic(
    node.long("rows"),
    node.long("failures"),
    node.long("attempts"),
    Repeats.fromJson(node.need("repeats")),
    node.long("throttledMs"),
    node.long("bytesSent"),
    node.long("bytesReceived"),
    Latencies.fromJson(node.need("latencies"))
  )
}

/**
 * Why requests were sent again.
 *
 * @param throttled after 429 or 503
 * @param serverError after another answer of 500 and above
 * @param timeout after no answer in time
 * @param transportError after no answer for another reason
 * @param unauthorized after 401, with a new token
 * @param redirect a redirect was followed
 * @param other after another answer that the config calls worth it
 */
final case class Repeats(
    throttled: Long,
    serverError: Long,
    timeout: Long,
    transportError: Long,
    unauthorized: Long,
    redirect: Long,
    other: Long
)

object Repeats {

  def fromJson(node: JsonNode): Repeats = Repeats(
    node.long("throttled"),
    node.long("serverError"),
    node.long("timeout"),
    node.long("transportError"),
    node.long("unauthorized"),
    node.long("redirect"),
    node.long("other")
  )
}
