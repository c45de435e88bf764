package io.apisink.spark

import java.nio.file.{Files, Path, StandardCopyOption}
import java.time.{LocalTime, ZoneOffset}
import java.util.concurrent.CompletableFuture

import io.apisink.ConfigException
import io.apisink.testing.{Eventually, Origin, SparkTest, TestConfig}
import org.apache.spark.sql.functions.col

/** A run that is steered while it goes on. */
final class ControlSuite extends SparkTest {

  private def write(config: TestConfig, rows: Long): Unit =
    spark.range(rows).select(col("id").cast("string").as("tracking_id"))
      .write.format("apisink").option("configText", config.yaml).option("runId", "r").mode("append").save()

  private def config(origin: Origin, sink: Path, execution: String*): TestConfig =
    TestConfig.atPath(origin, sink).copy(partitions = 2, urlPath = "/v1/patient", execution = execution)

  /** As a person does it: the file appears whole. */
  private def control(sink: Path, json: String): Unit = {
    val run = sink.resolve("_apisink").resolve("r")
    val written = Files.writeString(run.resolve(".control.tmp"), json)
    Files.move(written, run.resolve("control.json"), StandardCopyOption.ATOMIC_MOVE)
    ()
  }

  test("another rate and a pause are followed while rows are sent") {
    Origin.using("--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      // At this rate it would take ten minutes.
      val job = CompletableFuture.runAsync(() => write(config(origin, sink, "max_requests_per_second: 1"), 600))
      Eventually.until("the first request")(origin.count("requests") > 0)
      control(sink, """{"maxRequestsPerSecond": 100}""")
      Eventually.until("requests at the new rate")(origin.count("requests") > 60)
      control(sink, """{"maxRequestsPerSecond": 100, "paused": true}""")
      // The driver looks once a second; what it has let pass by then arrives.
      Eventually.until("no more requests") {
        val sent = origin.count("requests")
        Thread.onSpinWait()
        (1 to 100).forall(_ => origin.count("requests") == sent)
      }
      val sent = origin.count("requests")
      assert(sent < 600)
      control(sink, """{"maxRequestsPerSecond": 500}""")
      job.get()
      assert(origin.count("requests") == 600)
      assert(delta(sink).where("outcome = 'success'").count() == 600)
    }
  }

  test("outside of its sending window a run pauses before its first row") {
    Origin.using("--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val now = LocalTime.now(ZoneOffset.UTC)
      def time(hours: Long): String = f"${now.plusHours(hours).getHour}%02d:00"
      val shut = s"""sending_window: {from: "${time(3)}", until: "${time(6)}"}"""
      val job = CompletableFuture.runAsync { () =>
        spark.sparkContext.setJobGroup("window", "a run that waits")
        write(config(origin, sink, "max_requests_per_second: 1000", shut), 50)
      }
      Eventually.until("the run to be opened")(Files.exists(sink.resolve("_apisink/r/open.json")))
      // It would have sent all of its rows long before these questions are answered.
      (1 to 300).foreach(_ => assert(origin.count("requests") == 0))
      spark.sparkContext.cancelJobGroup("window")
      assert(scala.util.Try(job.get()).isFailure)
      val open = s"""sending_window: {from: "${time(-3)}", until: "${time(6)}"}"""
      write(config(origin, sink, "max_requests_per_second: 1000", open), 50)
      assert(origin.count("requests") == 50)
    }
  }

  test("a window in a time zone that nobody knows is refused") {
    Origin.using("--no-recording") { origin =>
      val window = """sending_window: {from: "08:00", until: "18:00", time_zone: Europe/Berlni}"""
      val refused = intercept[ConfigException] {
        write(config(origin, newDirectory().resolve("sink"), "max_requests_per_second: 1", window), 1)
      }
      assert(refused.code == "SENDING_WINDOW" && origin.count("requests") == 0)
    }
  }
}
