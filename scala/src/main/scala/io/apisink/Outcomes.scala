package io.apisink

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json._

/**
 * How the rows of a task, a manifest or a run ended.
 *
 * @param rows source rows taken
 * @param attempts HTTP round trips, all retries included
 * @param skipped rows that were left out because an earlier run has delivered them; not among `rows`
 * @param resumed rows among them whose answers earlier task attempts had journaled
 * @param resumedFailed rows among those whose outcome is no success
 */
final case class Outcomes(
    rows: Long = 0,
    success: Long = 0,
    httpError: Long = 0,
    transportError: Long = 0,
    invalidRow: Long = 0,
    invalidResponse: Long = 0,
    unknown: Long = 0,
    attempts: Long = 0,
    resumed: Long = 0,
    skipped: Long = 0,
    resumedFailed: Long = 0
) {

  def +(other: Outcomes): Outcomes = Outcomes(
    rows + other.rows,
    success + other.success,
    httpError + other.httpError,
    transportError + other.transportError,
    invalidRow + other.invalidRow,
    invalidResponse + other.invalidResponse,
    unknown + other.unknown,
    attempts + other.attempts,
    resumed + other.resumed,
    skipped + other.skipped,
    resumedFailed + other.resumedFailed
  )

  /** Rows whose outcome is no success. */
  def failed: Long = rows - success

  /** Outcome names as in the sink's `outcome` column, those that occurred; `success` always. */
  def byName: Seq[(String, Long)] = Seq(
    "success" -> success,
    "http_error" -> httpError,
    "transport_error" -> transportError,
    "invalid_row" -> invalidRow,
    "invalid_response" -> invalidResponse,
    "unknown" -> unknown
  ).filter { case (name, count) => count > 0 || name == "success" }

  /** For Spark's pages. */
  override def toString: String =
    (("rows" -> rows) +: byName :+ ("attempts" -> attempts)).map { case (name, count) => s"$name=$count" }.mkString(" ")

  def toJson: JsonNode = Json.newObject()
    .put("rows", rows)
    .put("success", success)
    .put("httpError", httpError)
    .put("transportError", transportError)
    .put("invalidRow", invalidRow)
    .put("invalidResponse", invalidResponse)
    .put("unknown", unknown)
    .put("attempts", attempts)
    .put("resumed", resumed)
    .put("skipped", skipped)
    .put("resumedFailed", resumedFailed)
}

object Outcomes {

  /** Reads what [[Outcomes.toJson]] writes, and these fields of the native library's `sessionStats`. */
  def fromJson(node: JsonNode): Outcomes = Outcomes(
    node.long("rows"),
    node.long("success"),
    node.long("httpError"),
    node.long("transportError"),
    node.long("invalidRow"),
    node.long("invalidResponse"),
    node.long("unknown"),
    node.long("attempts"),
    node.long("resumed"),
    node.long("skipped"),
    node.long("resumedFailed")
  )
}
