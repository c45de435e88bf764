package io.apisink

import scala.jdk.CollectionConverters._

/**
 * What a run has done.
 *
 * @param runId the run's id, given or derived
 * @param outcomes how its rows ended; of a run that was finished before, how they ended then
 * @param sink where its rows are, as people write it
 * @param durationMs from the opening of the run to its end, in milliseconds; of this call, whatever came before
 * @param finishedBefore whether the run was finished already, so that nothing was sent
 * @param dryRun whether requests were rendered and not sent
 */
final class RunResult(
    val runId: String,
    val outcomes: Outcomes,
    val sink: String,
    val durationMs: Long,
    val finishedBefore: Boolean,
    val dryRun: Boolean
) {

  /** Source rows that were not left out. */
  def rows: Long = outcomes.rows

  /** Rows whose outcome is `success`. */
  def succeeded: Long = outcomes.success

  /** All others. */
  def failed: Long = outcomes.failed

  /** HTTP round trips, those of retries included. */
  def attempts: Long = outcomes.attempts

  /** Rows whose answers an earlier attempt of the run had journaled. */
  def resumed: Long = outcomes.resumed

  /** Rows that were left out because an earlier run has delivered them (`execution.skip_delivered`); not among `rows`. */
  def skipped: Long = outcomes.skipped

  /** Rows by outcome, those that occurred; `success` always. For Java. */
  def counts: java.util.Map[String, java.lang.Long] =
    outcomes.byName.map { case (name, count) => name -> Long.box(count) }.toMap.asJava

  /** One line of JSON, for schedulers and scripts. */
  def toJson: String = {
    val json = Json.newObject().put("run_id", runId).put("sink", sink).put("rows", rows)
    val counts = json.putObject("outcomes")
    outcomes.byName.foreach { case (name, count) => counts.put(name, count) }
    json
      .put("failed", failed)
      .put("attempts", attempts)
      .put("resumed", resumed)
      .put("skipped", skipped)
      .put("duration_ms", durationMs)
      .put("finished_before", finishedBefore)
      .put("dry_run", dryRun)
      .toString
  }

  /** For people. */
  override def toString: String = {
    val counted = outcomes.byName.map { case (name, count) => s"$name=$count" }.mkString(" ")
    val left = if (skipped > 0) s" skipped=$skipped" else ""
    s"run $runId: rows=$rows $counted attempts=$attempts$left sink=$sink"
  }
}
