package io.apisink.metrics

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json._
import io.apisink.Outcomes

/**
 * What the native session of a task does and has done.
 *
 * @param outcomes of all its rows
 * @param inFlight rows in flight now, those that wait for the rate limit or a retry included
 * @param traffic what its own rows have cost
 */
final case class SessionStats(outcomes: Outcomes, inFlight: Long, traffic: Traffic)

object SessionStats {

  val none: SessionStats = SessionStats(Outcomes(), 0, Traffic.none)

  /** Reads what the native library's `sessionStats` writes. */
  def fromJson(node: JsonNode): SessionStats =
    SessionStats(Outcomes.fromJson(node), node.long("inFlight"), Traffic.fromJson(node.need("traffic")))
}
