package io.apisink.spark

import java.nio.file.Path
import java.util.concurrent.{CompletableFuture, CompletionException, ExecutionException}

import io.apisink.testing.{Eventually, Origin, SparkTest, TestConfig}
import org.apache.spark.sql.functions.col

/** A job that is cancelled. */
final class CancelSuite extends SparkTest {

  /** Starts a run of its own name, and cancels it once more than `requests` requests were seen. */
  private def cancelled(origin: Origin, sink: Path, run: String, connections: String, requests: Long) = {
    val config = TestConfig.atPath(origin, sink).copy(
      partitions = 2,
      urlPath = "/v1/patient",
      transport = Seq(s"tcp_connection: $connections")
    )
    val rows = spark.range(100000).select(col("id").cast("string").as("tracking_id"))
    val job = CompletableFuture.runAsync { () =>
      spark.sparkContext.setJobGroup(run, "a run that is cancelled")
      rows.write.format("apisink").option("configText", config.yaml).option("runId", run).mode("append").save()
    }
    Eventually.until("requests")(origin.count("requests") > requests)
    spark.sparkContext.cancelJobGroup(run)
    job
  }

  private def kept(sink: Path, run: String): Long =
    spark.read.format("apisink").option("journal", sink.resolve(s"_apisink/$run").toString).load().count()

  test("a killed task stops sending, and every request it has sent has its answer in the journal") {
    Origin.using("--latency", "fixed:20ms") { origin =>
      val sink = newDirectory().resolve("sink")
      val job = cancelled(origin, sink, "cancelled", "{limit: 4, idle_timeout: 0.2}", requests = 200)
      intercept[ExecutionException](job.get()).getCause match {
        case wrapped: CompletionException => assert(wrapped.getCause != null)
        case cause => assert(cause.getMessage.contains("cancel"), cause)
      }
      // Those with a request are closed with it, the others after their idle timeout.
      Eventually.until("connections to close")(origin.count("open_connections") == 0)
      val sent = origin.count("requests")
      // Four connections at 20 ms each would have sent hundreds in the time that these questions take.
      (1 to 50).foreach(_ => assert(origin.count("requests") == sent))
      Eventually.until("the tasks' end")(noneSends)
      assert(kept(sink, "cancelled") == sent)
    }
  }

  test("a killed task that is interrupted again and again keeps what was answered") {
    Origin.using("--latency", "fixed:500ms") { origin =>
      val sink = newDirectory().resolve("sink")
      val job = cancelled(origin, sink, "interrupted", "{limit: 16}", requests = 40)
      // As Spark's task reaper does, and as a failed job does to tasks that are failing already.
      Eventually.until("the tasks' end") {
        Thread.getAllStackTraces.keySet.forEach { thread =>
          if (thread.getName.startsWith("Executor task launch worker")) thread.interrupt()
        }
        noneSends
      }
      intercept[ExecutionException](job.get())
      assert(kept(sink, "interrupted") == origin.count("requests"))
    }
  }
}
