package io.apisink

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.{col, concat, lit}

/** A config's whole pipeline in one call, and what else a caller may ask of the data source. */
final class ApiSinkSuite extends SparkTest {

  private def patients(count: Int): DataFrame = spark
    .range(count.toLong)
    .select(concat(lit("t-"), col("id")).as("tracking_id"), concat(lit("p-"), col("id")).as("patient_id"))

  private def atPath(origin: Origin, sink: Path): TestConfig =
    TestConfig.atPath(origin, sink).copy(middleware = Seq("json_body"))

  test("a DataFrame's rows are sent, and the result says how they ended") {
    Origin.using("--fail-every", "5:404") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = written(atPath(origin, sink))
      val result = ApiSink.run(spark, config, Some(patients(20)), Map("runId" -> "first"))
      assert(result.runId == "first")
      assert(result.rows == 20 && result.succeeded == 16 && result.failed == 4 && result.attempts == 20)
      assert(result.counts.asScala == Map("success" -> 16L, "http_error" -> 4L))
      assert(result.sink.endsWith("/sink") && !result.finishedBefore && !result.dryRun)
      assert(delta(sink).count() == 20)
      val failed = ApiSink.failed(spark, config, "first")
      assert(failed.select("outcome", "status_code", "error.kind").distinct().collect().toSeq ==
        Seq(Row("http_error", 404, "http_status")))
      assert(patients(20).join(failed, "tracking_id").count() == 4)
      assert(ApiSink.failed(spark, config, "second").isEmpty)
      assert(result.toJson.startsWith("""{"run_id":"first","sink":"file:/"""))

      val again = ApiSink.run(spark, config, Some(patients(20)), Map("runId" -> "first"))
      assert(again.finishedBefore && again.rows == 20 && again.failed == 4)
      assert(origin.count("requests") == 20)
    }
  }

  test("the rows that tables.source names are read, filtered and selected") {
    Origin.using() { origin =>
      val (source, sink) = (newDirectory().resolve("source"), newDirectory().resolve("sink"))
      patients(10).write.format("delta").save(source.toString)
      val config = atPath(origin, sink).copy(
        idColumn = Some("id"),
        source = Seq(
          s"""path: "$source"""",
          """filter: "patient_id <> 'p-3'"""",
          """select: ["tracking_id AS id", "upper(patient_id) AS patient_id"]"""
        )
      )
      val result = ApiSink.run(spark, written(config))
      assert(result.rows == 9 && result.failed == 0)
      assert(delta(sink).where("url like '%/P-4'").select("tracking_id").collect().toSeq == Seq(Row("t-4")))
      assert(delta(sink).where("tracking_id = 't-3'").isEmpty)
    }
  }

  test("Java code runs a pipeline") {
    Origin.using() { origin =>
      val config = written(atPath(origin, newDirectory().resolve("sink")))
      assert(JavaCaller.run(spark, config, patients(5)).asScala == Map("success" -> 5L))
      assert(origin.count("requests") == 5)
    }
  }

  test("exactly one of a DataFrame and a source must be there") {
    Origin.using() { origin =>
      val source = newDirectory().resolve("source")
      patients(1).write.format("delta").save(source.toString)
      val bare = written(atPath(origin, newDirectory().resolve("sink")))
      val named = written(atPath(origin, newDirectory().resolve("sink")).copy(source = Seq(s"""path: "$source"""")))
      val none = intercept[ConfigException](ApiSink.run(spark, bare))
      assert(none.getMessage.contains("no DataFrame was handed over, and `tables.source` names no rows"))
      val both = intercept[ConfigException](ApiSink.run(spark, named, patients(1)))
      assert(both.getMessage.contains("a DataFrame was handed over, and `tables.source` names files too"))
      assert(origin.count("requests") == 0)
    }
  }

  test("a source that Spark cannot read is told in terms of the config") {
    Origin.using() { origin =>
      def refusal(source: String*): ConfigException = intercept[ConfigException](
        ApiSink.run(spark, written(atPath(origin, newDirectory().resolve("sink")).copy(source = source)))
      )
      val missing = refusal("identifier: default.no_such_table")
      assert(missing.code == "SOURCE_READ")
      assert(
        missing.getMessage.contains("the config reads default.no_such_table, and Spark says:"),
        missing.getMessage
      )
      patients(1).createOrReplaceTempView("some_patients")
      val filter = refusal("identifier: some_patients", "filter: \"nonsense = 1\"")
      assert(filter.getMessage.contains("has the filter nonsense = 1 on some_patients"), filter.getMessage)
    }
  }

  test("keys of the config can be set by options, and are checked as the file is") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config = written(atPath(origin, sink).copy(middleware = Seq("worker_identity", "json_body")))
      ApiSink.run(spark, config, Some(patients(50)), Map("set.execution.partitions" -> "2"))
      assert(delta(sink).selectExpr("worker.partition_id").distinct().count() == 2)
      val refused = intercept[ConfigException] {
        ApiSink.run(spark, config, Some(patients(1)), Map("set.execution.partitons" -> "2"))
      }
      assert(refused.getMessage.contains("execution.partitons=2") && refused.getMessage.contains(
        "did you mean `partitions`?"
      ))
    }
  }

  test("a dry run renders every request and sends none, and leaves the sink and the run alone") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config = written(atPath(origin, sink).copy(auth = Seq("type: bearer", "token: hunter2hunter2")))
      val df = patients(10).union(patients(1).withColumn("tracking_id", lit(null)))
      val result = ApiSink.run(spark, config, Some(df), Map("dryRun" -> "true", "runId" -> "nightly"))
      assert(result.dryRun && result.rows == 11 && result.counts.get("invalid_row") == 1L)
      assert(origin.count("requests") == 0 && origin.count("connections") == 0)
      assert(!Files.exists(sink.resolve("_delta_log")))
      val rendered = spark.read.format("delta").load(result.sink)
      val one = rendered.where("tracking_id = 't-7'").select("response_body").head().getString(0)
      assert(one.startsWith("POST /v1/patient/p-7 HTTP/1.1"), one)
      assert(one.contains("""{"tracking_id":"t-7","patient_id":"p-7"}""") && !one.contains("hunter2"), one)

      val sent = ApiSink.run(spark, config, Some(patients(10)), Map("runId" -> "nightly"))
      assert(!sent.finishedBefore && origin.count("requests") == 10)
    }
  }

  test("what a run has journaled can be read while its answers are not in the sink") {
    Origin.using() { origin =>
      val directory = newDirectory()
      // The append fails: the sink's path is a file.
      val sink = Files.writeString(directory.resolve("sink"), "in the way")
      val config = atPath(origin, sink).copy(execution = Seq(s"""journal_path: "${directory.resolve("journal")}""""))
      intercept[Exception](ApiSink.run(spark, written(config), Some(patients(30)), Map("runId" -> "r")))
      val journal = spark.read.format("apisink").option("journal", directory.resolve("journal/r").toString).load()
      assert(journal.where("outcome = 'success'").select("tracking_id").distinct().count() == 30)

      val file = Files.walk(directory.resolve("journal/r")).iterator().asScala.find(_.toString.endsWith(".arrow")).get
      Files.write(file, Files.readAllBytes(file).dropRight(10))
      assert(journal.count() < 30)
      val refused = intercept[ConfigException](spark.read.format("apisink").option("journal", "/nowhere").load())
      assert(refused.getMessage.contains("there is no run's journal at /nowhere"))
    }
  }

  test("a read without a purpose is refused with the purposes there are") {
    val refused = intercept[ConfigException](spark.read.format("apisink").load().collect())
    assert(refused.code == "OPTION_READ" && refused.getMessage.contains("'journal'"))
  }
}
