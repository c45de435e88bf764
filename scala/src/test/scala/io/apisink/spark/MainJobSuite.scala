package io.apisink.spark

import java.nio.file.{Files, Path}
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.CompletableFuture

import scala.jdk.CollectionConverters._
import scala.util.Using

import io.apisink.ConfigException
import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.functions.{col, concat, lit}

/** The main job, end to end: a DataFrame goes out over HTTP and its answers are in Delta. */
final class MainJobSuite extends SparkTest {

  private def patients(count: Int): DataFrame = spark
    .range(count.toLong)
    .select(
      concat(lit("t-"), col("id")).as("tracking_id"),
      concat(lit("p/"), col("id")).as("patient_id"),
      (col("id") / 4).cast("decimal(10,2)").as("amount")
    )

  private def write(df: DataFrame, config: TestConfig, options: (String, String)*): Unit =
    df.write.format("apisink").option("configText", config.yaml).options(options.toMap).mode("append").save()

  private def filesBelow(directory: Path): Seq[String] =
    if (!Files.exists(directory)) Nil
    else Using.resource(Files.walk(directory))(_.iterator().asScala.map(_.getFileName.toString).toVector)

  test("every row is sent once and ends as one row of the sink, with what came back") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      write(patients(1000), TestConfig.atPath(origin, sink), "runId" -> "first")

      val rows = delta(sink)
      assert(rows.count() == 1000)
      assert(rows.select("tracking_id").distinct().count() == 1000)
      assert(rows.select("outcome", "status_code", "attempts", "run_id").distinct().collect().toSeq ==
        Seq(Row("success", 200, 1, "first")))
      val one = rows.where("tracking_id = 't-7'").selectExpr("url", "method", "response_body", "request_id").head()
      assert(one.getString(0) == s"${origin.url}/v1/patient/p%2F7")
      assert(one.getString(1) == "POST")
      assert(one.getString(2).contains("\"path\":\"/v1/patient/p%2F7\""))
      assert(one.getString(2).contains(s"\"key\":\"${one.getString(3)}\""))
      assert(rows.where("ingested_at is null or started_at is null or elapsed_ms <= 0").isEmpty)

      assert(origin.count("requests") == 1000)
      assert(origin.keys().map(_.required("key").asText()).toSet ==
        rows.select("request_id").collect().map(_.getString(0)).toSet)
      val body = origin.requests().find(_.required("path").asText().endsWith("/p%2F7")).get.required("body").asText()
      assert(body == """{"tracking_id":"t-7","patient_id":"p/7","amount":1.75}""")
    }
  }

  test("rows are sent in as many tasks as execution.partitions says, equal ids together") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config =
        TestConfig.atPath(origin, sink).copy(partitions = 7, middleware = Seq("worker_identity", "json_body"))
      write(patients(500), config)
      val partitions = delta(sink).selectExpr("worker.partition_id").distinct().collect().map(_.getInt(0)).toSet
      assert(partitions == (0 until 7).toSet)
    }
  }

  test("save() works without a mode") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      patients(20).write.format("apisink").option("configText", TestConfig.atPath(origin, sink).yaml).save()
      assert(delta(sink).count() == 20)
      assert(origin.count("requests") == 20)
    }
  }

  test("a thread that no session is active in, as in a pool of one's own, writes as any other") {
    Origin.using() { origin =>
      val (df, config) = (patients(20), TestConfig.atPath(origin, newDirectory().resolve("sink")))
      val written = CompletableFuture.runAsync { () =>
        SparkSession.clearActiveSession()
        write(df, config)
      }
      written.get()
      assert(origin.count("requests") == 20)
    }
  }

  test("a config file is read through Hadoop's file systems, and a sink may be a table by name") {
    Origin.using() { origin =>
      val directory = newDirectory()
      val config = TestConfig(
        origin.url,
        Seq("namespace: default", "name: answers"),
        execution = Seq(s"""journal_path: "${directory.resolve("journal")}"""")
      )
      val file = Files.writeString(directory.resolve("config.yaml"), config.yaml)
      try {
        for (_ <- 1 to 2)
          patients(10).write.format("apisink").option("config", file.toUri.toString).mode("append").save()
        assert(spark.table("default.answers").count() == 20)
        assert(spark.table("default.answers").select("run_id").distinct().count() == 2)
      } finally spark.sql("DROP TABLE IF EXISTS default.answers")
    }
  }

  test("a finished runId sends nothing and writes nothing") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink)
      write(patients(50), config, "runId" -> "nightly-1")
      write(patients(50), config, "runId" -> "nightly-1")
      assert(origin.count("requests") == 50)
      assert(delta(sink).count() == 50)
      write(patients(50), config, "runId" -> "nightly-2")
      assert(origin.count("requests") == 100)
      assert(delta(sink).count() == 100)
    }
  }

  test("what is left of a finished run is its ledger: the journal's files are gone") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      write(patients(50), TestConfig.atPath(origin, sink), "runId" -> "r")
      val left = filesBelow(sink.resolve("_apisink").resolve("r")).filterNot(_.endsWith(".crc")).toSet
      assert(left == Set("r", "open.json", "manifest-0.json", "done-0.json", "done.json"))
      val mode = Files.getPosixFilePermissions(sink.resolve("_apisink").resolve("r"))
      assert(PosixFilePermissions.toString(mode) == "rwx------")
    }
  }

  test("explaining a write has no effect: nothing is sent, no journal, no sink") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val yaml = TestConfig.atPath(origin, sink).yaml
      patients(5).createOrReplaceTempView("explained")
      // Registers the catalog.
      patients(1).write.format("apisink").option("configText", TestConfig.atPath(origin, newDirectory()).yaml).save()
      val plan = spark
        .sql(
          s"EXPLAIN EXTENDED INSERT INTO apisink.default.rows WITH ('configText' = '${yaml.replace("'", "''")}') SELECT * FROM explained"
        )
        .head()
        .getString(0)
      assert(plan.contains("ApiSinkWrite"), plan)
      assert(origin.count("requests") == 1)
      assert(!Files.exists(sink))
    }
  }

  test("a request that fails for good becomes a row and does not fail the job") {
    Origin.using("--fail-every", "3:404") { origin =>
      val sink = newDirectory().resolve("sink")
      write(patients(30), TestConfig.atPath(origin, sink).copy(middleware = Seq("json_body")))
      val outcomes = delta(sink).groupBy("outcome", "status_code").count().collect().map(r =>
        (r.getString(0), r.getInt(1)) -> r.getLong(2)
      ).toMap
      assert(outcomes == Map(("success", 200) -> 20L, ("http_error", 404) -> 10L))
      val error =
        delta(sink).where("outcome = 'http_error'").selectExpr("error.kind", "error.message").distinct().collect().toSeq
      assert(error == Seq(Row("http_status", "404 Not Found")))
    }
  }

  test("failed attempts are tried again under the same key, and the sink tells of each") {
    Origin.using("--fail-first", "1:503", "--fail-first", "1:429:retry-after=0") { origin =>
      val sink = newDirectory().resolve("sink")
      val config =
        TestConfig.atPath(origin, sink).copy(middleware = Seq("{type: retry, base_delay: 0.01}", "json_body"))
      write(patients(40), config)
      assert(delta(sink).select("outcome", "attempts").distinct().collect().toSeq == Seq(Row("success", 3)))
      val statuses =
        delta(sink).selectExpr("transform(attempt_log, a -> a.status)").distinct().collect().map(_.getSeq[Int](0)).toSeq
      assert(statuses == Seq(Seq(503, 429, 200)))
      assert(origin.count("keys") == 40)
      assert(origin.keys().forall(_.required("requests").asInt() == 3))
    }
  }

  test("connections that break become rows with an error, or are repeated where that is allowed") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        urlPath = "/{prefix}/{tracking_id}/x",
        transport = Seq("base_timeout: 1"),
        middleware = Seq("{type: retry, max_attempts: 2, base_delay: 0.01}")
      )
      import spark.implicits._
      val faults = Seq("reset-before", "reset-amid", "stall", "garbage").map(_ -> "_fault") :+ ("ok" -> "v1")
      write(faults.toDF("tracking_id", "prefix"), config)
      val rows = delta(sink).selectExpr("tracking_id", "outcome", "error.kind", "attempts").collect()
        .map(r => r.getString(0) -> (r.getString(1), r.getString(2), r.getInt(3))).toMap
      assert(rows("reset-before") == ("transport_error", "reset", 2))
      assert(rows("reset-amid") == ("transport_error", "reset", 2))
      assert(rows("stall") == ("transport_error", "timeout", 2))
      assert(rows("garbage") == ("invalid_response", "invalid_http", 2))
      assert(rows("ok") == ("success", null, 1))
    }
  }

  test("a row that cannot be sent becomes an invalid_row row; the others are sent") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        endpoint = Seq("""headers: {"X-Note": "{note}"}""", "max_url_length: 200"),
        mapping = Seq("{source_column: value, endpoint_param: value, in: body}")
      )
      import spark.implicits._
      val df = Seq[(String, String, String, java.lang.Double)](
        ("fine", "p", "n", 1.0),
        (null, "p", "n", 1.0),
        ("line-break", "p", "a\r\nInjected: yes", 1.0),
        ("empty-segment", "", "n", 1.0),
        ("dots", "..", "n", 1.0),
        ("long", "x" * 300, "n", 1.0),
        ("nan", "p", "n", Double.NaN)
      ).toDF("tracking_id", "patient_id", "note", "value")
      write(df, config)
      val kinds = delta(sink).selectExpr("tracking_id", "outcome", "error.kind", "attempts").collect()
        .map(r => Option(r.getString(0)).getOrElse("null") -> (r.getString(1), r.getString(2), r.getInt(3))).toMap
      assert(kinds == Map(
        "fine" -> ("success", null, 1),
        "null" -> ("invalid_row", "null_id", 0),
        "line-break" -> ("invalid_row", "header_value", 0),
        "empty-segment" -> ("invalid_row", "path_value", 0),
        "dots" -> ("invalid_row", "path_value", 0),
        "long" -> ("invalid_row", "url_too_long", 0),
        "nan" -> ("invalid_row", "value", 0)
      ))
      assert(origin.count("requests") == 1)
    }
  }

  test("an id that stands in two rows is sent once, and both rows are in the sink") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val twice = patients(10).union(patients(10))
      write(twice, TestConfig.atPath(origin, sink))
      assert(origin.count("requests") == 10)
      val kinds =
        delta(sink).groupBy(col("error.kind")).count().collect().map(r => Option(r.getString(0)) -> r.getLong(1)).toMap
      assert(kinds == Map(None -> 10L, Some("duplicate_tracking_id") -> 10L))
    }
  }

  test("an empty DataFrame is a run without rows") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      write(patients(0), TestConfig.atPath(origin, sink), "runId" -> "empty")
      assert(origin.count("requests") == 0)
      write(patients(0), TestConfig.atPath(origin, sink), "runId" -> "empty")
    }
  }

  test("credentials reach the server and nothing that Spark shows of the write") {
    Origin.using("--bearer", "hunter2hunter2") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        auth = Seq("type: bearer", "token: hunter2hunter2"),
        middleware = Seq("{type: logging, to_sink: true}", "json_body")
      ).copy(sink = Seq(s"""path: "$sink"""", "request_headers: true"))
      write(patients(3), config)
      assert(delta(sink).select("outcome").distinct().collect().toSeq == Seq(Row("success")))
      val rows = delta(sink).toJSON.collect().mkString
      assert(rows.contains("\"authorization\":\"***\"") && !rows.contains("hunter2"), rows)
    }
  }

  test("overwrite and partitionBy are refused in words that say what to do") {
    Origin.using() { origin =>
      val yaml = TestConfig.atPath(origin, newDirectory()).yaml
      val refused = intercept[ConfigException] {
        patients(1).write.format("apisink").option("configText", yaml).partitionBy("patient_id").save()
      }
      assert(refused.getMessage.contains("partitionBy"))
      assert(origin.count("requests") == 0)
    }
  }
}
