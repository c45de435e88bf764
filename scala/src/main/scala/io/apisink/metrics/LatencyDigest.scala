package io.apisink.metrics

/**
 * A task's latencies in one positive number, which is all that Spark lets a task tell of a metric: seven quantiles, each
 * as its bucket in a byte, and in the highest seven bits a weight, the logarithm of the number of answers.
 *
 * Several of them yield an estimate of a quantile of all: the tasks' distributions, taken as even between two of their
 * quantiles, are added up by weight. A single one yields the task's own quantile. 0, with which Spark fills in tasks that
 * told nothing yet, is the digest of no answers.
 *
 * The driver, which at the end has the histograms of all tasks, tells the quantile itself in the same form: [[known]].
 */
private[metrics] object LatencyDigest {

  /** A quantile's bucket, and whether it is known rather than estimated. */
  final case class Quantile(bucket: Int, known: Boolean)

  private val Shares = Array(0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)

  /** A weight that no task has. */
  private val Known = 127L

  def of(latencies: Latencies): Long =
    if (latencies.total == 0) 0L
    else {
      val buckets = Shares.iterator.flatMap(latencies.quantile).zipWithIndex
      buckets.foldLeft(weightOf(latencies.total) << 56) { case (digest, (bucket, place)) =>
        digest | (bucket.toLong << (8 * place))
      }
    }

  def known(bucket: Int): Long = (Known << 56) | bucket.toLong

  /** @return none when there are no answers */
  def quantile(digests: Seq[Long], share: Double): Option[Quantile] = {
    val told = digests.filter(_ > 0)
    told.find(weight(_) == Known).map(digest => Quantile(buckets(digest).head, known = true)).orElse {
      val tasks = told.map(digest => (math.pow(2, (weight(digest) - 1) / 4.0), buckets(digest)))
      val wanted = share * tasks.map(_._1).sum * (1 - 1e-9)
      (0 until Latencies.Buckets)
        .find(bucket => tasks.map { case (weight, buckets) => weight * shareUpTo(bucket, buckets) }.sum >= wanted)
        .filter(_ => tasks.nonEmpty)
        .map(Quantile(_, known = false))
    }
  }

  /** The share of a task's answers in a bucket and all below. */
  private def shareUpTo(bucket: Int, buckets: Array[Int]): Double = {
    val below = buckets.lastIndexWhere(_ <= bucket)
    if (below < 0) 0.0
    else if (below == buckets.length - 1) 1.0
    else {
      val part = (bucket - buckets(below)).toDouble / (buckets(below + 1) - buckets(below))
      Shares(below) + part * (Shares(below + 1) - Shares(below))
    }
  }

  /** From 1 for one answer, 4 more for each doubling. */
  private def weightOf(total: Long): Long =
    math.min(Known - 1, 1 + math.round(4 * math.log(total.toDouble) / math.log(2)))

  private def weight(digest: Long): Long = digest >>> 56

  private def buckets(digest: Long): Array[Int] =
    Array.tabulate(Shares.length)(place => ((digest >>> (8 * place)) & 0xff).toInt)
}
