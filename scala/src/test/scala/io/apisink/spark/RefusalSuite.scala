package io.apisink.spark

import java.util.concurrent.atomic.AtomicInteger

import io.apisink.{ApiSinkException, ConfigException}
import io.apisink.config.{DriverPlan, FailWhen, SinkSettings, SourceSettings, TableSettings}
import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.spark.scheduler.{SparkListener, SparkListenerJobStart}
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.{col, expr, lit}

/** What is refused on the driver, before any task runs. */
final class RefusalSuite extends SparkTest {

  private def rows: DataFrame =
    spark.range(3).select(col("id").cast("string").as("tracking_id"), lit("p").as("patient_id"))

  /** The refusal of a write, and proof that no job was started for it. */
  private def refusal(df: DataFrame, options: (String, String)*): ApiSinkException = {
    val jobs = new AtomicInteger
    val listener = new SparkListener {
      override def onJobStart(start: SparkListenerJobStart): Unit = { jobs.incrementAndGet(); () }
    }
    spark.sparkContext.addSparkListener(listener)
    try {
      val refused = intercept[ApiSinkException](df.write.format("apisink").options(options.toMap).mode("append").save())
      assert(jobs.get() == 0)
      refused
    } finally spark.sparkContext.removeSparkListener(listener)
  }

  private def config(change: TestConfig => TestConfig = identity): (String, String) =
    "configText" -> change(TestConfig("http://127.0.0.1:9", Seq(s"""path: "${newDirectory()}""""))).yaml

  test("all problems of a config come at once, each with its place") {
    val text = config(_.copy(endpoint = Seq("methud: GET"), execution = Seq("max_requests_per_second: -1")))
    val message = refusal(rows, text).getMessage
    assert(message.contains("2 problems"), message)
    assert(message.contains("did you mean `method`?"), message)
    assert(message.contains("configText:3:28"), message)
  }

  test("a column that the source lacks is named, with the one that was probably meant") {
    val message = refusal(rows, config(_.copy(urlPath = "/{patient_idd}"))).getMessage
    assert(message.contains("patient_idd") && message.contains("did you mean `patient_id`?"), message)
  }

  test("a column whose type has no text or JSON form is named") {
    val refused = refusal(rows.withColumn("v", expr("parse_json('1')")), config())
    assert(refused.code == "SCHEMA_COLUMN_TYPE")
    assert(refused.getMessage.contains("'v' of type VARIANT"))
  }

  test("options that are missing, unknown or contradict each other are refused") {
    assert(refusal(rows).code == "OPTION_CONFIG")
    assert(refusal(rows, "config" -> "a.yaml", config()).code == "OPTION_CONFIG")
    assert(refusal(rows, "confg" -> "a.yaml").hint.contains("Did you mean 'config'?"))
    assert(refusal(rows, config(), "runId" -> "a/b").code == "OPTION_RUN_ID")
    assert(refusal(rows, "config" -> "/nowhere/x.yaml").getMessage.contains("/nowhere/x.yaml"))
  }

  test("a source column that the response row has itself is not kept twice") {
    val sink = s"""path: "${newDirectory()}""""
    val refused = refusal(rows, config(_.copy(sink = Seq(sink, "source_columns: [tracking_id]"))))
    assert(refused.code == "SCHEMA_COLUMN_TAKEN")
    assert(refused.hint.contains("tracking_id holds its values"))
    val url = rows.withColumn("URL", lit("x"))
    assert(refusal(url, config(_.copy(sink = Seq(sink, "source_columns: [URL]")))).code == "SCHEMA_COLUMN_TAKEN")
  }

  test("a journal that overwriting the sink would remove is refused") {
    val sink = s"""path: "${newDirectory()}""""
    val text = config(_.copy(sink = Seq(sink, "format: parquet", "mode: overwrite")))
    val refused = refusal(rows, text)
    assert(refused.code == "JOURNAL_PATH" && refused.getMessage.contains("within the sink"))
  }

  test("a format that the session does not have is named") {
    val sink = s"""path: "${newDirectory()}""""
    val refused = refusal(rows, config(_.copy(sink = Seq(sink, "format: parket"))))
    assert(refused.code == "SINK_FORMAT" && refused.getMessage.contains("'parket'"))
  }

  test("a missing environment variable is named") {
    val text = config(_.copy(auth = Seq("type: bearer", """token: "{{env.APISINK_TEST_IS_NOT_SET}}"""")))
    val message = refusal(rows, text).getMessage
    assert(message.contains("the driver's environment has no variable APISINK_TEST_IS_NOT_SET"), message)
  }

  test("a named table needs a journal path") {
    val text = config(_.copy(sink = Seq("namespace: default", "name: t")))
    assert(refusal(rows, text).code == "JOURNAL_PATH")
  }

  test("a run goes on only with the same requests") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val first = TestConfig.atPath(origin, sink)
      rows.write.format("apisink").option("configText", first.yaml).option("runId", "r").mode("append").save()
      val other = first.copy(method = "PUT")
      val refused = refusal(rows, "configText" -> other.yaml, "runId" -> "r")
      assert(refused.code == "RUN_CONFLICT" && refused.getMessage.contains("the request"), refused.getMessage)
      // What changes no request is no conflict.
      val faster = first.copy(execution = Seq("max_requests_per_second: 1000"))
      rows.write.format("apisink").option("configText", faster.yaml).option("runId", "r").mode("append").save()
      assert(origin.count("requests") == 3)
    }
  }

  test("speculation is refused unless the config allows it") {
    val plan = DriverPlan(
      "",
      "",
      1,
      Some("id"),
      None,
      Nil,
      SinkSettings(TableSettings(None, Some("/sink"))),
      SourceSettings(TableSettings(None, None)),
      None,
      1,
      1,
      1,
      1,
      1,
      None,
      Nil,
      FailWhen(None, None, 1),
      None,
      Nil,
      None,
      allowSpeculation = false,
      1,
      Some("k"),
      Nil
    )
    val conf = new org.apache.spark.SparkConf(false).set("spark.speculation", "true")
    val refused = intercept[ConfigException](Preflight.check(conf, executors = true, plan, hasSecrets = false))
    assert(refused.code == "SPECULATION")
    Preflight.check(conf, executors = true, plan.copy(allowSpeculation = true), hasSecrets = false)
    intercept[ConfigException] {
      Preflight.check(
        conf,
        executors = true,
        plan.copy(allowSpeculation = true, idempotencyHeader = None),
        hasSecrets = false
      )
    }
  }
}
