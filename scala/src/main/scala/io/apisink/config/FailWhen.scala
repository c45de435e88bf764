package io.apisink.config

import io.apisink.Outcomes

/**
 * What of `execution.fail_when` the driver judges by the rows of all executors. Each of them does by its own, at once.
 *
 * @param failedRows rows that stop the run
 * @param failedShare share of failed rows, from 0 to 1, that stops the run when it is exceeded
 * @param afterRows rows after which the share counts
 */
final case class FailWhen(failedRows: Option[Long], failedShare: Option[Double], afterRows: Long) {

  /**
   * Why a run has to stop, if it has to.
   *
   * @param outcomes of the whole run; what it did before it was gone on with does not count
   */
  def verdict(outcomes: Outcomes): Option[String] = {
    val rows = outcomes.rows - outcomes.resumed
    val failed = outcomes.failed - outcomes.resumedFailed
    val tooMany = failedRows.filter(failed >= _).map(most => s"failed_rows: $most")
    val tooLarge = failedShare.filter(share => rows >= afterRows && failed > share * rows).map(s => s"failed_share: $s")
    tooMany.orElse(tooLarge).map(limit => s"$failed of $rows rows failed (execution.fail_when.$limit)")
  }

  /** Whether there is anything to judge. */
  def isDefined: Boolean = failedRows.isDefined || failedShare.isDefined
}
