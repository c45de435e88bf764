package io.apisink.spark

import java.nio.file.Path

import io.apisink.SessionFailedException
import io.apisink.testing.{Eventually, Origin, SparkTest, TestConfig}
import org.apache.spark.sql.functions.col

/** A run that stops early, and is gone on with. */
final class FailWhenSuite extends SparkTest {

  private val count = 2000

  private def common(origin: Origin, sink: Path): TestConfig = TestConfig.atPath(origin, sink).copy(
    partitions = 2,
    urlPath = "/v1/patient",
    transport = Seq("tcp_connection: {limit: 4}")
  )

  private def write(config: TestConfig): Unit =
    spark.range(count.toLong).select(col("id").cast("string").as("tracking_id"))
      .write.format("apisink").option("configText", config.yaml).option("runId", "r").mode("append").save()

  private def failure(config: TestConfig): Throwable =
    Iterator.iterate[Throwable](intercept[Exception](write(config)))(_.getCause).takeWhile(_ != null).toVector.last

  test("a token that the API refuses stops the run after a few rows, which are sent again when it is told to") {
    Origin.using("--bearer", "right", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = common(origin, sink).copy(auth = Seq("type: bearer", "token: wrong"))
      val said = failure(config)
      assert(said.getMessage.contains("[FAIL_WHEN]") && said.getMessage.contains("with 401 or 403"), said)
      assert(said.isInstanceOf[SessionFailedException])
      val refused = origin.count("requests")
      assert(refused < count)
      write(config.copy(
        auth = Seq("type: bearer", "token: right"),
        execution = Seq("resend_on_resume: [unauthorized]")
      ))
      assert(delta(sink).where("outcome = 'success'").count() == count)
      assert(delta(sink).count() == count)
      assert(origin.count("requests") == refused + count)
    }
  }

  test("a run whose rows fail too often stops, and what was answered is not asked for again") {
    Origin.using("--fail-first", "1:500", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = common(origin, sink).copy(
        execution = Seq("fail_when: {failed_share: 0.5, after_rows: 200}"),
        middleware = Seq("json_body")
      )
      val said = failure(config)
      assert(said.getMessage.contains("execution.fail_when.failed_share: 0.5"), said)
      // Spark lets a job fail before its tasks have ended.
      Eventually.until("the tasks' end")(noneSends)
      val kept = spark.read.format("apisink").option("journal", sink.resolve("_apisink/r").toString).load().count()
      assert(kept >= 200 && kept < count)
      assert(kept == origin.count("requests"))
      write(config.copy(execution = Nil))
      assert(delta(sink).select("tracking_id").distinct().count() == count)
      assert(delta(sink).count() == count)
      assert(delta(sink).where("outcome = 'http_error'").count() >= kept)
    }
  }
}
