package io.apisink.session

/** Who keeps the rate limit of a run. The driver decides, for all tasks alike. */
sealed trait RateKeeper extends Product with Serializable

object RateKeeper {

  /** The one process that sends. */
  case object Process extends RateKeeper

  /** The driver: executors lease slots of its schedule, see [[io.apisink.ApiSinkPlugin]]. */
  case object Driver extends RateKeeper

  /**
   * Each executor, for its running tasks: one of `tasks` parts of the limit for each of them.
   *
   * @param tasks the most that can run at once in the cluster
   */
  final case class Share(tasks: Int) extends RateKeeper
}
