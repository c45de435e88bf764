package io.apisink.metrics

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json._

/**
 * Slots of the rate limits of this process since its start, and the messages about them.
 *
 * @param granted slots that it got, of its own schedules and of the driver's
 * @param spent those of them with which a request was written
 * @param lapsed those of them that nobody will use; the others are held by attempts that wait
 * @param roundTrips wishes for slots that the driver has answered
 * @param unanswered wishes that it has not
 * @param roundTripMillis from wish to answer, summed up over the answered ones
 */
private[apisink] final case class RateStats(
    granted: Long,
    spent: Long,
    lapsed: Long,
    roundTrips: Long,
    unanswered: Long,
    roundTripMillis: Long
)

private[apisink] object RateStats {

  val none: RateStats = RateStats(0, 0, 0, 0, 0, 0)

  def fromJson(node: JsonNode): RateStats = RateStats(
    node.long("granted"),
    node.long("spent"),
    node.long("lapsed"),
    node.long("roundTrips"),
    node.long("unanswered"),
    node.long("roundTripMs")
  )
}
