package io.apisink.metrics

import scala.util.Random

import org.scalatest.funsuite.AnyFunSuite

final class LatencyDigestSuite extends AnyFunSuite {

  private val random = new Random(1)

  /** Answers whose buckets scatter around one. */
  private def latencies(around: Int, answers: Int): Latencies =
    Seq.fill(answers)(Latencies(Map((around + random.nextGaussian() * 10).toInt -> 1L))).foldLeft(Latencies.none)(_ + _)

  private def estimate(tasks: Seq[Latencies], share: Double): Int =
    LatencyDigest.quantile(tasks.map(LatencyDigest.of), share).map(_.bucket).getOrElse(-1)

  test("no answers have no quantile, whatever tasks that told nothing add") {
    assert(Latencies.none.quantile(0.5).isEmpty)
    assert(LatencyDigest.of(Latencies.none) == 0)
    assert(LatencyDigest.quantile(Seq(0, 0), 0.5).isEmpty)
    assert(LatencyDigest.quantile(Nil, 0.5).isEmpty)
  }

  test("a quantile is the first bucket that holds its share with all below") {
    val ten = Latencies((1 to 10).map(_ -> 1L).toMap)
    assert(Seq(0.05, 0.5, 0.51, 0.95, 1.0).map(ten.quantile(_).get) == Seq(1, 5, 6, 10, 10))
  }

  test("the digest of one task yields its own quantiles, and is positive") {
    for (answers <- Seq(1, 2, 3, 10, 1000)) {
      val one = latencies(100, answers)
      val digests = Seq(0L, LatencyDigest.of(one), 0L)
      assert(digests.forall(_ >= 0))
      for (share <- Seq(0.5, 0.95, 0.99))
        assert(LatencyDigest.quantile(
          digests,
          share
        ) == one.quantile(share).map(LatencyDigest.Quantile(_, known = false)))
    }
    assert(LatencyDigest.of(Latencies(Map(223 -> Long.MaxValue))) > 0)
  }

  test("digests of alike tasks yield the quantiles of all answers but for a bucket or two") {
    val tasks = Seq.fill(16)(latencies(100, 2000))
    val all = tasks.reduce(_ + _)
    for (share <- Seq(0.5, 0.95, 0.99)) {
      val (estimated, true_) = (estimate(tasks, share), all.quantile(share).get)
      assert(math.abs(estimated - true_) <= 2, s"$share: $estimated instead of $true_")
    }
  }

  test("a task counts by its answers: a slow one with few does not move the median") {
    val tasks = Seq(latencies(100, 8000), latencies(200, 80))
    val all = tasks.reduce(_ + _)
    for (share <- Seq(0.5, 0.95)) assert(math.abs(estimate(tasks, share) - all.quantile(share).get) <= 2)
    assert(estimate(tasks, 0.999) > 190)
  }

  test("what the driver knows replaces the estimate") {
    val digests = Seq(LatencyDigest.of(latencies(100, 10)), LatencyDigest.known(223))
    assert(LatencyDigest.quantile(digests, 0.5).contains(LatencyDigest.Quantile(223, known = true)))
  }

  test("buckets are those of the native library") {
    // 1 ms to 1 s, as rust/runtime/src/latencies.rs numbers them.
    for ((micros, bucket) <- Seq(0 -> 0, 7 -> 7, 8 -> 8, 3000 -> 75, 20000 -> 97, 1000000 -> 143))
      assert(math.abs(Latencies.micros(bucket) - micros) <= math.max(1, micros / 8), s"$micros µs in bucket $bucket")
  }
}
