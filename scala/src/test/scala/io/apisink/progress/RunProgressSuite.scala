package io.apisink.progress

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicLong

import scala.jdk.CollectionConverters._

import io.apisink.Outcomes
import io.apisink.testing.{Eventually, SparkTest}

/** Through a real Spark job, so that Spark's own events carry the numbers. */
final class RunProgressSuite extends SparkTest {

  test("lines count the rows of running and finished tasks") {
    val lines = new ConcurrentLinkedQueue[String]
    // Every look at this clock is a second later than the last: no line is left out for being too early.
    val clock = new AtomicLong
    val progress = new RunProgress(
      spark.sparkContext,
      () => Some(40),
      1000,
      line => { lines.add(line); () },
      () => clock.addAndGet(1000)
    )
    progress.start()
    try {
      val accumulator = progress.accumulator
      import spark.implicits._
      spark.range(40).repartition(4).as[Long].mapPartitions { rows =>
        val all = rows.toVector
        val count = all.size.toLong
        accumulator.set(Outcomes(rows = count, success = count, attempts = count))
        all.iterator
      }.write.format("noop").mode("overwrite").save()
      Eventually.until(s"the last line, of $lines")(lines.asScala.exists(_.startsWith("100% answered (40 of 40 rows)")))
      assert(accumulator.value.rows == 40)
    } finally progress.stop()
  }
}
