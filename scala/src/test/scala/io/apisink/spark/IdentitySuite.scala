package io.apisink.spark

import java.nio.file.Path

import io.apisink.{ConfigException, SchemaException}
import io.apisink.testing.{Origin, SparkTest, StoppedRun, TestConfig}
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.{col, concat, lit, map, struct}

/** How the rows of a run are told apart: with an id column, with repeated ids, and without one. */
final class IdentitySuite extends SparkTest {

  /** Connections are soon closed when they are idle: who stops a run waits for it. */
  private def config(origin: Origin, sink: Path): TestConfig =
    TestConfig.atPath(origin, sink).copy(
      urlPath = "/v1/patient",
      transport = Seq("tcp_connection: {limit: 8, idle_timeout: 0.2}")
    )

  private def write(df: DataFrame, config: TestConfig, runId: String = "r"): Unit =
    df.write.format("apisink").option("configText", config.yaml).option("runId", runId).mode("append").save()

  private def outcomes(sink: Path): Set[Row] = delta(sink).groupBy("outcome").count().collect().toSet

  /** 600 different rows, the first 30 of them three times. */
  private def unnamed: DataFrame = {
    val rows = spark.range(600).select(
      concat(lit("p-"), col("id") % 300).as("patient"),
      (col("id") / 4).cast("double").as("amount"),
      struct(col("id").as("deep")).as("nested")
    )
    val first = rows.where(col("nested.deep") < 30)
    rows.union(first).union(first)
  }

  test("without an id column every row is sent, equal ones as often as they stand there, each under a key of its own") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      write(unnamed, config(origin, sink).copy(idColumn = None))
      assert(outcomes(sink) == Set(Row("success", 660L)))
      assert(origin.count("keys") == 660 && origin.count("keys_twice") == 0)
      val ids = delta(sink).groupBy("tracking_id").count()
      assert(ids.count() == 600, "equal rows share their tracking_id")
      assert(ids.where("count = 3").count() == 30)
      assert(delta(sink).where("length(tracking_id) <> 32").isEmpty)
    }
  }

  test("a run without an id column that was stopped sends only what has no answer, equal rows counted") {
    Origin.using("--latency", "fixed:10ms", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val slow = config(origin, sink).copy(idColumn = None, partitions = 2, execution = Seq("flush_seconds: 0.2"))
      stopAmid(origin, sink, slow, unnamed)
      val before = origin.count("requests")
      write(unnamed, slow)
      assert(outcomes(sink) == Set(Row("success", 660L)))
      assert(delta(sink).select("request_id").distinct().count() == 660)
      assert(origin.count("keys") == 660 && origin.count("keys_twice") <= 2 * 8)
      assert(origin.count("requests") - before < 660, "what was answered is not sent again")
    }
  }

  test(
    "rows of one tracking_id are each sent when the config says so, and keep their keys in whatever order they come"
  ) {
    val rows = spark.range(300).select((col("id") % 100).cast("string").as("tracking_id"), col("id").as("value"))
    Origin.using("--latency", "fixed:10ms", "--no-recording") { origin =>
      val sink = newDirectory().resolve("sink")
      val slow =
        config(origin, sink).copy(partitions = 2, execution = Seq("repeated_ids: send", "flush_seconds: 0.2"))
      stopAmid(origin, sink, slow, rows, after = 100)
      write(rows.orderBy(col("value").desc), slow)
      assert(outcomes(sink) == Set(Row("success", 300L)))
      assert(delta(sink).groupBy("tracking_id").count().where("count <> 3").isEmpty)
      assert(origin.count("keys") == 300 && origin.count("keys_twice") <= 2 * 8)
    }
  }

  test("rows that only a map column tells apart are refused without an id column, maps beside other columns are not") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val noId = config(origin, sink).copy(idColumn = None)
      val maps = spark.range(3).select(map(lit("k"), col("id")).as("m"))
      val refused = intercept[SchemaException](write(maps, noId))
      assert(refused.getMessage.contains("tables.source.id_column"), refused.getMessage)
      write(spark.range(3).select(lit("same").as("a"), map(lit("k"), col("id")).as("m")), noId)
      assert(outcomes(sink) == Set(Row("success", 3L)))
    }
  }

  test("rows that an earlier run has delivered are left out, and counted") {
    Origin.using("--fail", "0.3:500") { origin =>
      val sink = newDirectory().resolve("sink")
      val nightly =
        config(origin, sink).copy(middleware = Seq("json_body"), execution = Seq("skip_delivered: success"))
      def rows(count: Long): DataFrame =
        spark.range(count).select(col("id").as("tracking_id"), lit("p").as("patient"))
      write(rows(200), nightly, "monday")
      val delivered = delta(sink).where("outcome = 'success'").count()
      assert(delivered > 50 && delivered < 200)
      val result = io.apisink.ApiSink.run(spark, written(nightly), Some(rows(260)), Map("runId" -> "tuesday"))
      assert(result.skipped == delivered)
      assert(result.rows == 260 - delivered)
      val tuesday = delta(sink).where("run_id = 'tuesday'")
      assert(tuesday.count() == 260 - delivered)
      val monday = delta(sink).where("run_id = 'monday' and outcome = 'success'").select("tracking_id")
      assert(tuesday.join(monday, "tracking_id").isEmpty, "what was delivered is not sent again")
    }
  }

  test("with skip_delivered: any, what was answered with an error is left out too, and what had no answer is not") {
    Origin.using("--fail", "1:404") { origin =>
      val sink = newDirectory().resolve("sink")
      val once = config(origin, sink).copy(middleware = Seq("json_body"), execution = Seq("skip_delivered: any"))
      val rows = spark.range(40).select(concat(lit("t "), col("id")).as("tracking_id"))
      write(rows.where("tracking_id < 't 2'"), once, "first")
      write(rows, once, "second")
      assert(origin.count("requests") == 40)
      assert(outcomes(sink) == Set(Row("http_error", 40L)))
    }
  }

  test("what needs an id column is refused without one") {
    Origin.using() { origin =>
      val noId = config(origin, newDirectory().resolve("sink")).copy(idColumn = None)
      val skipping = noId.copy(execution = Seq("skip_delivered: any"))
      val refused = intercept[ConfigException](write(unnamed, skipping))
      assert(refused.getMessage.contains("`execution.skip_delivered` looks for the rows' tracking ids"))
    }
  }

  private def stopAmid(origin: Origin, sink: Path, config: TestConfig, rows: DataFrame, after: Long = 200): Unit =
    StoppedRun.stopAmid(spark, origin, sink, after)(write(rows, config))
}
