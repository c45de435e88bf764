package io.apisink.metrics

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode

/**
 * How many answers took how long, in the buckets of the native library (`latencies.rs`). Histograms add up without loss.
 *
 * @param counts by bucket; none is 0
 */
final case class Latencies(counts: Map[Int, Long]) {

  def total: Long = counts.valuesIterator.sum

  def +(other: Latencies): Latencies =
    Latencies(other.counts.foldLeft(counts) { case (sum, (bucket, count)) =>
      sum.updated(bucket, sum.getOrElse(bucket, 0L) + count)
    })

  /** What came on top of an earlier state of this histogram. */
  def -(earlier: Latencies): Latencies =
    Latencies(counts.map { case (bucket, count) => bucket -> (count - earlier.counts.getOrElse(bucket, 0L)) }
      .filter(_._2 > 0))

  /**
   * The bucket of a quantile: the first that, with all below, holds such a share of the answers.
   *
   * @param share above 0, at most 1
   * @return none when there are no answers
   */
  def quantile(share: Double): Option[Int] = {
    val wanted = math.max(1L, math.ceil(share * total).toLong)
    val sorted = counts.toSeq.sortBy(_._1)
    val upTo = sorted.scanLeft(0L)(_ + _._2).tail
    sorted.zip(upTo).collectFirst { case ((bucket, _), count) if count >= wanted => bucket }
  }
}

object Latencies {

  val none: Latencies = Latencies(Map.empty)

  /** A bucket's number is below this one. */
  val Buckets = 224

  /** Of so many buckets each doubling of the time consists. */
  private val PerDoubling = 8

  /** The time in the middle of a bucket, in microseconds: at most 6.25 % off. */
  def micros(bucket: Int): Double = {
    val width = if (bucket < PerDoubling) 1L else 1L << (bucket / PerDoubling - 1)
    val from = if (bucket < PerDoubling) bucket.toLong else (PerDoubling + bucket % PerDoubling) * width
    from + width / 2.0
  }

  /** Reads the pairs that the native library writes. */
  def fromJson(pairs: JsonNode): Latencies =
    Latencies(pairs.elements().asScala.map(pair => pair.get(0).asInt() -> pair.get(1).asLong()).toMap)
}
