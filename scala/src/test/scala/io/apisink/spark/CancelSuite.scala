package io.apisink.spark

import java.util.concurrent.{CompletableFuture, CompletionException, ExecutionException}

import io.apisink.testing.{Eventually, Origin, SparkTest, TestConfig}
import org.apache.spark.sql.functions.col

/** A job that is cancelled. */
final class CancelSuite extends SparkTest {

  test("a killed task stops sending, and every request it has sent has its answer in the journal") {
    Origin.using("--latency", "fixed:20ms") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        partitions = 2,
        urlPath = "/v1/patient",
        transport = Seq("tcp_connection: {limit: 4, idle_timeout: 0.2}")
      )
      val rows = spark.range(100000).select(col("id").cast("string").as("tracking_id"))
      val job = CompletableFuture.runAsync { () =>
        spark.sparkContext.setJobGroup("cancelled", "a run that is cancelled")
        rows.write.format("apisink").option(
          "configText",
          config.yaml
        ).option("runId", "cancelled").mode("append").save()
      }
      Eventually.until("requests")(origin.count("requests") > 200)
      spark.sparkContext.cancelJobGroup("cancelled")
      intercept[ExecutionException](job.get()).getCause match {
        case wrapped: CompletionException => assert(wrapped.getCause != null)
        case cause => assert(cause.getMessage.contains("cancel"), cause)
      }
      // Those with a request are closed with it, the others after their idle timeout.
      Eventually.until("connections to close")(origin.count("open_connections") == 0)
      val sent = origin.count("requests")
      // Four connections at 20 ms each would have sent hundreds in the time that these questions take.
      (1 to 50).foreach(_ => assert(origin.count("requests") == sent))
      val journal = sink.resolve("_apisink/cancelled").toString
      Eventually.until("the tasks' end")(noneSends)
      assert(spark.read.format("apisink").option("journal", journal).load().count() == sent)
    }
  }

  test("a killed task that is interrupted again and again keeps what was answered") {
    Origin.using("--latency", "fixed:500ms") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        partitions = 2,
        urlPath = "/v1/patient",
        transport = Seq("tcp_connection: {limit: 16}")
      )
      val rows = spark.range(100000).select(col("id").cast("string").as("tracking_id"))
      val job = CompletableFuture.runAsync { () =>
        spark.sparkContext.setJobGroup("interrupted", "a run whose tasks are interrupted")
        rows.write.format("apisink").option(
          "configText",
          config.yaml
        ).option("runId", "interrupted").mode("append").save()
      }
      Eventually.until("requests")(origin.count("requests") > 40)
      spark.sparkContext.cancelJobGroup("interrupted")
      // As Spark's task reaper does, and as a failed job does to tasks that are failing already.
      Eventually.until("the tasks' end") {
        Thread.getAllStackTraces.keySet.forEach { thread =>
          if (thread.getName.startsWith("Executor task launch worker")) thread.interrupt()
        }
        noneSends
      }
      intercept[ExecutionException](job.get())
      val journal = sink.resolve("_apisink/interrupted").toString
      val kept = spark.read.format("apisink").option("journal", journal).load().count()
      assert(kept == origin.count("requests"))
    }
  }
}
