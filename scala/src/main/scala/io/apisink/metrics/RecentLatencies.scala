package io.apisink.metrics

import scala.collection.mutable

/**
 * The latencies of about the last minute, out of histograms that only grow: since the last look that is a minute old,
 * or since the beginning.
 *
 * @param clock milliseconds, monotonic
 */
private[metrics] final class RecentLatencies(clock: () => Long) {

  private val looks = mutable.Queue(clock() -> Latencies.none)

  /** @param now all latencies so far */
  def of(now: Latencies): Latencies = synchronized {
    val time = clock()
    if (time - looks.last._1 >= RecentLatencies.Step) looks.enqueue(time -> now)
    while (looks.size > 1 && time - looks(1)._1 >= RecentLatencies.Window) looks.dequeue()
    now - looks.head._2
  }
}

private object RecentLatencies {

  /** Milliseconds. */
  val Window = 60000L

  /** Least time between two looks that are kept, in milliseconds. */
  val Step = 5000L
}
