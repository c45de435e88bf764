package io.apisink.spark

import java.nio.channels.FileChannel
import java.nio.file.{Files, Path, StandardOpenOption}
import java.util.concurrent.CompletableFuture

import scala.util.Using

import io.apisink.LedgerException
import io.apisink.testing.{Eventually, Origin, SparkTest, StoppedRun, TestConfig}
import io.apisink.testing.StoppedRun.journal
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.{col, concat, lit}

/** A run that was stopped and is written again under the same runId. */
final class ResumeSuite extends SparkTest {

  private val count = 3000

  private def rows: DataFrame = spark
    .range(count.toLong)
    .select(concat(lit("t-"), col("id")).as("tracking_id"), lit("p").as("patient_id"))

  private def config(origin: Origin, sink: Path): TestConfig = TestConfig.atPath(origin, sink).copy(
    partitions = 2,
    urlPath = "/v1/patient",
    execution = Seq("flush_seconds: 0.2"),
    transport = Seq("tcp_connection: {limit: 8, idle_timeout: 0.2}")
  )

  private def write(df: DataFrame, config: TestConfig): Unit =
    df.write.format("apisink").option("configText", config.yaml).option("runId", "r").mode("append").save()

  private def stopAmid(origin: Origin, sink: Path, config: TestConfig): Unit =
    StoppedRun.stopAmid(spark, origin, sink, requests = 800)(write(rows, config))

  private def assertEachRowOnce(sink: Path): Unit = {
    assert(delta(sink).count() == count)
    assert(delta(sink).select("tracking_id").distinct().count() == count)
    assert(delta(sink).select("outcome").distinct().collect().toSeq == Seq(Row("success")))
  }

  test("rows that were answered are not sent again, and end in the sink like the others") {
    Origin.using("--latency", "fixed:5ms", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      stopAmid(origin, sink, config(origin, sink))
      assert(journal(sink).nonEmpty && !Files.exists(sink.resolve("_delta_log")))
      write(rows, config(origin, sink))
      assertEachRowOnce(sink)
      // What was in flight when it was stopped may have been answered without being journaled.
      val report = origin.report()
      assert(report.required("keys").asLong() == count)
      assert(report.required("keys_twice").asLong() <= 2 * 8)
      assert(journal(sink).isEmpty)
    }
  }

  test("a journal file that is cut costs its rows only: they are sent again") {
    Origin.using("--latency", "fixed:5ms", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      stopAmid(origin, sink, config(origin, sink))
      val files = journal(sink)
      // At the beginning, within the data, and within the footer.
      val cut = files.take(3).zip(Seq[Long => Long](_ => 3L, _ / 2, _ - 5))
      val lost = cut.map { case (file, length) =>
        val rows = Files.size(file)
        Using.resource(FileChannel.open(file, StandardOpenOption.WRITE))(_.truncate(length(rows)))
        rows
      }
      assert(lost.size == math.min(3, files.size))
      val before = origin.count("requests")
      write(rows, config(origin, sink))
      assertEachRowOnce(sink)
      assert(origin.count("requests") - before < count, "the rows of whole files are not sent again")
      assert(origin.count("keys") == count)
    }
  }

  test("a source that has lost rows is not taken for the run's source") {
    Origin.using("--latency", "fixed:5ms", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      stopAmid(origin, sink, config(origin, sink))
      val refused = intercept[LedgerException](write(rows.limit(0), config(origin, sink)))
      assert(refused.code == "SOURCE_CHANGED")
      write(rows, config(origin, sink))
      assertEachRowOnce(sink)
    }
  }

  test("a row whose content has changed is not given its old answer") {
    Origin.using("--latency", "fixed:5ms", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      stopAmid(origin, sink, config(origin, sink))
      write(rows.withColumn("patient_id", lit("other")), config(origin, sink))
      // The old answer stays, for its request was sent; the row as it is now says that it was not.
      val changed = delta(sink).where("error.kind = 'content_changed'")
      assert(changed.count() > 0 && changed.where("attempts > 0").isEmpty)
      assert(delta(sink).where("outcome = 'success'").select("tracking_id").distinct().count() == count)
      assert(delta(sink).count() == count + changed.count())
      assert(origin.count("keys") == count)
    }
  }

  test("answers that resend_on_resume names are asked for again") {
    Origin.using("--latency", "fixed:5ms", "--fail-first", "1:500", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val once = config(origin, sink).copy(middleware = Seq("timing", "json_body"))
      stopAmid(origin, sink, once)
      write(rows, once.copy(execution = once.execution :+ "resend_on_resume: [http_5xx]"))
      // Everything that was answered 500 in the first run was asked for again and answered 200.
      val outcomes = delta(sink).groupBy("outcome").count().collect().map(r => r.getString(0) -> r.getLong(1)).toMap
      assert(outcomes.values.sum == count)
      assert(outcomes("success") > 700)
    }
  }

  test("another driver with the same runId is told who holds it") {
    Origin.using("--latency", "fixed:5ms", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val first = CompletableFuture.runAsync(() => write(rows, config(origin, sink)))
      Eventually.until("requests")(origin.count("requests") > 100)
      val refused = intercept[LedgerException](write(rows, config(origin, sink)))
      assert(refused.code == "RUN_LOCKED")
      assert(refused.getMessage.contains(ProcessHandle.current().pid().toString), refused.getMessage)
      first.get()
      assertEachRowOnce(sink)
      assert(origin.count("keys_twice") == 0)
    }
  }
}
