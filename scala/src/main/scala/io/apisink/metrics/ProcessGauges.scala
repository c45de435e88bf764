package io.apisink.metrics

import com.codahale.metrics.{Gauge, MetricRegistry}
import io.apisink.journal.JournalWriter

/**
 * This process's numbers as gauges in a registry of Spark's metric system. `docs/guides/watch-a-run.md` tells the names.
 *
 * A sink asks for all of them one after another: they are read together, and are those of one moment.
 */
private[apisink] object ProcessGauges {

  /** So long a reading serves all gauges; milliseconds. */
  private val Fresh = 500L

  private val Names: Seq[(String, ProcessStats => Long)] = Seq(
    "tasks" -> (_.sessions),
    "inFlight" -> (_.inFlight),
    "connections" -> (_.connections),
    "bufferedBytes" -> (_.bufferedBytes),
    "rows" -> (_.traffic.rows),
    "failures" -> (_.traffic.failures),
    "attempts" -> (_.traffic.attempts),
    "repeats.throttled" -> (_.traffic.repeats.throttled),
    "repeats.serverError" -> (_.traffic.repeats.serverError),
    "repeats.timeout" -> (_.traffic.repeats.timeout),
    "repeats.transportError" -> (_.traffic.repeats.transportError),
    "repeats.unauthorized" -> (_.traffic.repeats.unauthorized),
    "repeats.redirect" -> (_.traffic.repeats.redirect),
    "repeats.other" -> (_.traffic.repeats.other),
    "throttledMs" -> (_.traffic.throttledMillis),
    "slots.granted" -> (_.rate.granted),
    "slots.spent" -> (_.rate.spent),
    "slots.lapsed" -> (_.rate.lapsed),
    "leases.roundTrips" -> (_.rate.roundTrips),
    "leases.unanswered" -> (_.rate.unanswered),
    "leases.roundTripMs" -> (_.rate.roundTripMillis),
    "bytesSent" -> (_.traffic.bytesSent),
    "bytesReceived" -> (_.traffic.bytesReceived)
  )

  private val Quantiles = Seq("latency.p50Ms" -> 0.5, "latency.p95Ms" -> 0.95, "latency.p99Ms" -> 0.99)

  /**
   * @param read the process's numbers now
   * @param clock milliseconds, monotonic
   */
  def register(
      registry: MetricRegistry,
      read: () => ProcessStats = () => ProcessStats.read(),
      clock: () => Long = () => System.nanoTime() / 1000000L
  ): Unit = {
    val looks = new Looks(read, clock)
    def gauge[T](name: String)(value: => T): Unit = {
      registry.register(name, (() => value): Gauge[T])
      ()
    }
    for ((name, of) <- Names) gauge(name)(of(looks.now().stats))
    for ((name, share) <- Quantiles)
      gauge(name)(looks.now().recent.quantile(share).fold(0.0)(Latencies.micros(_) / 1000))
    gauge("journalBytes")(JournalWriter.written.sum())
  }

  /** @param recent latencies of about the last minute */
  private final case class Look(time: Long, stats: ProcessStats, recent: Latencies)

  private final class Looks(read: () => ProcessStats, clock: () => Long) {

    private val latencies = new RecentLatencies(clock)
    private var last = look()

    def now(): Look = synchronized {
      if (clock() - last.time >= Fresh) last = look()
      last
    }

    private def look(): Look = {
      val stats = read()
      Look(clock(), stats, latencies.of(stats.traffic.latencies))
    }
  }
}
