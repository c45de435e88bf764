package io.apisink.metrics

import org.apache.spark.sql.connector.metric.{CustomMetric, CustomTaskMetric}

/**
 * The metrics of the write in Spark's SQL pages. Spark makes them by their class names, also in its history server, so
 * each is a class of its own without arguments.
 *
 * All are exact when the write has ended. While it goes on they are at most a second older than the executor's last
 * heartbeat.
 */
private[apisink] object WriteMetrics {

  val all: Seq[WriteMetric] = Seq(
    new RowsMetric,
    new SuccessMetric,
    new HttpErrorMetric,
    new TransportErrorMetric,
    new InvalidRowMetric,
    new InvalidResponseMetric,
    new UnknownMetric,
    new ResumedMetric,
    new SkippedMetric,
    new InFlightMetric,
    new AttemptsMetric,
    new RepeatsThrottledMetric,
    new RepeatsServerErrorMetric,
    new RepeatsTimeoutMetric,
    new RepeatsTransportErrorMetric,
    new RepeatsUnauthorizedMetric,
    new RepeatsRedirectMetric,
    new RepeatsOtherMetric,
    new ThrottledTimeMetric,
    new LatencyP50Metric,
    new LatencyP95Metric,
    new LatencyP99Metric,
    new BytesSentMetric,
    new BytesReceivedMetric
  )

  def ofTask(stats: SessionStats): Array[CustomTaskMetric] =
    all.map(metric => TaskValue(metric.name, metric.ofTask(stats)): CustomTaskMetric).toArray

  /** What the driver knows better than the sum of the tasks, when all have ended. */
  def ofRun(latencies: Latencies): Array[CustomTaskMetric] = {
    val values = all.collect { case metric: LatencyMetric => metric.ofRun(latencies).map(TaskValue(metric.name, _)) }
    values.flatten.toArray[CustomTaskMetric]
  }
}

private final case class TaskValue(name: String, value: Long) extends CustomTaskMetric

/** A metric of the write. */
sealed abstract class WriteMetric(override val name: String, override val description: String) extends CustomMetric {

  /** What a task tells of itself. */
  private[metrics] def ofTask(stats: SessionStats): Long
}

/** Tasks' numbers added up. */
sealed abstract class SumMetric(name: String, description: String, number: SessionStats => Long)
    extends WriteMetric(name, description) {

  private[metrics] final override def ofTask(stats: SessionStats): Long = number(stats)

  override def aggregateTaskMetrics(values: Array[Long]): String = values.sum.toString
}

// Spark knows these two names: they are the task's output in its stage pages, too.
final class RowsMetric extends SumMetric("recordsWritten", "rows answered", _.outcomes.rows)
final class BytesSentMetric extends SumMetric("bytesWritten", "bytes sent", _.traffic.bytesSent) with Bytes

final class BytesReceivedMetric extends SumMetric("bytesReceived", "bytes received", _.traffic.bytesReceived) with Bytes
final class SuccessMetric extends SumMetric("success", "rows: success", _.outcomes.success)
final class HttpErrorMetric extends SumMetric("httpError", "rows: http_error", _.outcomes.httpError)
final class TransportErrorMetric
    extends SumMetric("transportError", "rows: transport_error", _.outcomes.transportError)
final class InvalidRowMetric extends SumMetric("invalidRow", "rows: invalid_row", _.outcomes.invalidRow)
final class InvalidResponseMetric
    extends SumMetric("invalidResponse", "rows: invalid_response", _.outcomes.invalidResponse)
final class UnknownMetric extends SumMetric("unknown", "rows: unknown", _.outcomes.unknown)
final class ResumedMetric extends SumMetric("resumed", "rows answered before", _.outcomes.resumed)
final class SkippedMetric extends SumMetric("skipped", "rows left out, delivered before", _.outcomes.skipped)
final class InFlightMetric extends SumMetric("inFlight", "rows in flight", _.inFlight)
final class AttemptsMetric extends SumMetric("attempts", "attempts", _.traffic.attempts)
final class RepeatsThrottledMetric
    extends SumMetric("repeatsThrottled", "repeated after 429 or 503", _.traffic.repeats.throttled)
final class RepeatsServerErrorMetric
    extends SumMetric("repeatsServerError", "repeated after another 5xx", _.traffic.repeats.serverError)
final class RepeatsTimeoutMetric
    extends SumMetric("repeatsTimeout", "repeated after a timeout", _.traffic.repeats.timeout)
final class RepeatsTransportErrorMetric
    extends SumMetric("repeatsTransportError", "repeated after a transport error", _.traffic.repeats.transportError)
final class RepeatsUnauthorizedMetric
    extends SumMetric("repeatsUnauthorized", "repeated with a new token", _.traffic.repeats.unauthorized)
final class RepeatsRedirectMetric extends SumMetric("repeatsRedirect", "redirects followed", _.traffic.repeats.redirect)
final class RepeatsOtherMetric
    extends SumMetric("repeatsOther", "repeated after another answer", _.traffic.repeats.other)

/** Shown as an amount of bytes. */
sealed trait Bytes extends SumMetric {
  override def aggregateTaskMetrics(values: Array[Long]): String = Units.bytes(values.sum)
}

final class ThrottledTimeMetric
    extends SumMetric("throttledTime", "waited for the rate limit, all rows together", _.traffic.throttledMillis) {
  override def aggregateTaskMetrics(values: Array[Long]): String = Units.time(values.sum.toDouble)
}

/**
 * A quantile of the latencies of all tasks. Estimated from digests of the tasks while they run ("about"), and that of
 * all answers at the end, but for the width of a bucket.
 */
sealed abstract class LatencyMetric(name: String, description: String, share: Double)
    extends WriteMetric(name, description) {

  private[metrics] final override def ofTask(stats: SessionStats): Long = LatencyDigest.of(stats.traffic.latencies)

  private[metrics] final def ofRun(latencies: Latencies): Option[Long] =
    latencies.quantile(share).map(LatencyDigest.known)

  final override def aggregateTaskMetrics(values: Array[Long]): String =
    LatencyDigest.quantile(values.toSeq, share).fold("none yet") { found =>
      val time = Units.time(Latencies.micros(found.bucket) / 1000)
      if (found.known) time else s"about $time"
    }
}

final class LatencyP50Metric extends LatencyMetric("latencyP50", "latency p50", 0.5)
final class LatencyP95Metric extends LatencyMetric("latencyP95", "latency p95", 0.95)
final class LatencyP99Metric extends LatencyMetric("latencyP99", "latency p99", 0.99)
