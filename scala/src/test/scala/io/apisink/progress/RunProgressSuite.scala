package io.apisink.progress

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicLong

import scala.jdk.CollectionConverters._

import io.apisink.Outcomes
import io.apisink.config.FailWhen
import io.apisink.testing.{Eventually, SparkTest}
import org.apache.spark.{SparkException, TaskContext}

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
      FailWhen(None, None, 1),
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

  test("a run is stopped when too many rows of all its tasks have failed") {
    val progress = new RunProgress(spark.sparkContext, () => None, 0, _ => (), FailWhen(Some(25), None, 1))
    progress.start()
    try {
      val accumulator = progress.accumulator
      import spark.implicits._
      val stopped = intercept[SparkException] {
        // Four tasks, two at a time, with about ten failed rows each; the last one waits to be cancelled.
        spark.range(40).repartition(4).as[Long].mapPartitions { rows =>
          val count = rows.size.toLong
          accumulator.set(Outcomes(rows = count, httpError = count, attempts = count))
          val task = TaskContext.get()
          if (task.partitionId() == 3) Eventually.until("the task to be cancelled")(task.isInterrupted())
          Iterator.single(count)
        }.write.format("noop").mode("overwrite").save()
      }
      val said = Iterator.iterate[Throwable](stopped)(_.getCause).takeWhile(_ != null).map(_.getMessage).mkString("; ")
      assert(said.contains("rows failed (execution.fail_when.failed_rows: 25)"), said)
    } finally progress.stop()
  }
}
