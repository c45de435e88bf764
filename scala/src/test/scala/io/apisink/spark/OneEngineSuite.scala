package io.apisink.spark

import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.spark.sql.functions.{col, lit}

/** What all tasks of an executor share. */
final class OneEngineSuite extends SparkTest {

  test("20,000 rows in 16 partitions over a limit of 10 connections open at most 10") {
    Origin.using("--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        partitions = 16,
        urlPath = "/v1/patient",
        transport = Seq("tcp_connection: {limit: 10}")
      )
      val rows = spark.range(20000).select(col("id").cast("string").as("tracking_id"), lit("x").as("name"))
      rows.write.format("apisink").option("configText", config.yaml).mode("append").save()

      val report = origin.report()
      assert(report.required("requests").asLong() == 20000)
      assert(report.required("keys").asLong() == 20000)
      assert(report.required("keys_twice").asLong() == 0)
      assert(report.required("connections").asLong() <= 10)
      assert(report.required("highest_concurrency").asLong() <= 10)
      assert(delta(sink).where("outcome = 'success'").select("tracking_id").distinct().count() == 20000)
    }
  }

  test("the rate limit is that of the process, and every attempt is charged") {
    Origin.using("--fail-first", "1:503", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        partitions = 8,
        urlPath = "/v1/patient",
        execution = Seq("max_requests_per_second: 100"),
        middleware = Seq("{type: retry, base_delay: 0.01}", "json_body")
      )
      val rows = spark.range(150).select(col("id").cast("string").as("tracking_id"))
      rows.write.format("apisink").option("configText", config.yaml).mode("append").save()
      assert(origin.count("requests") == 300)
      // A limit for each task, or retries that are not charged, would let all 300 through within a second. The margin is for
      // a machine that is busy with other things: requests that were written apart may arrive together.
      assert(origin.count("highest_rate_1s") <= 150)
      val report = origin.report()
      val span = report.required("last_arrival_ms").asLong() - report.required("first_arrival_ms").asLong()
      assert(span >= 2500, "300 requests at 100 per second")
    }
  }
}
