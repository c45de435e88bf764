package io.apisink.metrics

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._
import io.apisink.jni.Native

/**
 * What the sending side of this process does and has done, the tasks that have ended included.
 *
 * @param sessions tasks that send now
 * @param inFlight rows in flight now, those that wait for the rate limit or a retry included
 * @param connections connections that are open now
 * @param bufferedBytes bytes of rows and answers that are held in native memory now
 * @param traffic what all rows have cost
 * @param rate slots of the rate limits, and what leases of them have cost
 */
private[apisink] final case class ProcessStats(
    sessions: Long,
    inFlight: Long,
    connections: Long,
    bufferedBytes: Long,
    traffic: Traffic,
    rate: RateStats = RateStats.none
)

private[apisink] object ProcessStats {

  /** Of this process. Only when the native library is loaded. */
  def read(): ProcessStats = fromJson(Json.parse(Native.processStats()))

  def fromJson(node: JsonNode): ProcessStats = ProcessStats(
    node.long("sessions"),
    node.long("inFlight"),
    node.long("connections"),
    node.long("bufferedBytes"),
    Traffic.fromJson(node.need("traffic")),
    RateStats.fromJson(node.need("rate"))
  )
}
