package io.apisink.spark

import scala.jdk.CollectionConverters._

import io.apisink.metrics.WriteMetrics
import io.apisink.testing.{Eventually, Origin, SparkTest, TestConfig}
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.classic
import org.apache.spark.sql.execution.ui.{SQLAppStatusStore, SQLExecutionUIData}
import org.apache.spark.sql.functions.col

/** What Spark's SQL pages show of a write, read where they read it, beside what the server has counted. */
final class SqlMetricsSuite extends SparkTest {

  private def rows(count: Int): DataFrame = spark.range(count.toLong).select(col("id").cast("string").as("tracking_id"))

  private def store: SQLAppStatusStore = spark match {
    case session: classic.SparkSession => session.sharedState.statusStore
    case other => fail(s"no SQL pages of ${other.getClass}")
  }

  /** The metrics of a write by their descriptions, of the execution that has them. */
  private def metrics(execution: SQLExecutionUIData): Map[String, String] = {
    val values = store.executionMetrics(execution.executionId)
    val ours = WriteMetrics.all.map(_.description).toSet
    execution.metrics.filter(metric => ours(metric.name))
      .flatMap(metric => values.get(metric.accumulatorId).map(metric.name -> _)).toMap
  }

  /** Runs a write and waits until Spark's pages know that it has ended; its metrics. */
  private def metricsOf(write: => Unit): Map[String, String] = {
    val before = store.executionsList().map(_.executionId).maxOption.getOrElse(-1L)
    write
    def ended = store.executionsList().filter(_.executionId > before)
      .filter(execution => execution.completionTime.isDefined && Option(execution.metricValues).isDefined)
    def found = ended.map(metrics).filter(_.nonEmpty)
    Eventually.until("the metrics of the write in Spark's store")(found.nonEmpty)
    assert(found.size == 1, "one execution has them")
    found.head
  }

  private def config(origin: Origin, lines: String*): TestConfig =
    TestConfig.atPath(origin, newDirectory().resolve("sink")).copy(
      urlPath = "/v1/patient",
      execution = lines,
      middleware = Seq("{type: retry, max_attempts: 3, base_delay: 0.001}", "json_body")
    )

  private def write(df: DataFrame, config: TestConfig, mode: Option[String] = Some("append")): Unit = {
    val writer = df.write.format("apisink").option("configText", config.yaml)
    mode.fold(writer)(writer.mode).save()
  }

  test("at the end the metrics of the write are what the server has counted") {
    Origin.using("--fail-first", "1:503", "--latency", "fixed:20ms") { origin =>
      val found = metricsOf(write(rows(300), config(origin)))
      Eventually.until("the server's last answer")(origin.count("in_flight") == 0)
      val report = origin.report()
      assert(found("rows answered") == "300")
      assert(found("rows: success") == "300")
      assert(found("attempts") == report.required("requests").asText() && found("attempts") == "600")
      assert(found("repeated after 429 or 503") == report.required("responses").required("503").asText())
      for (none <- Seq("rows: http_error", "repeated after a timeout", "rows in flight"))
        assert(found.getOrElse(none, "0") == "0", none)
      val sent = report.required("bytes_in").asDouble() / 1024
      assert(found("bytes sent") == "%.1f KiB".formatLocal(java.util.Locale.ROOT, sent))
      for (quantile <- Seq("latency p50", "latency p95", "latency p99")) {
        val millis = found(quantile) match {
          case s"about $_" => fail(s"an estimate at the end, too: ${found(quantile)}")
          case s"$number ms" => number.toDouble
          case other => fail(s"$quantile: $other")
        }
        assert(millis >= 19, quantile)
      }
    }
  }

  test("rows that failed are told by their outcome, and the wait for the rate limit as a time") {
    Origin.using("--fail-every", "4:404") { origin =>
      val found = metricsOf(write(rows(40), config(origin, "max_requests_per_second: 50", "burst: 1")))
      val report = origin.report().required("responses")
      assert(found("rows: http_error") == report.required("404").asText())
      assert(found("rows: success") == report.required("200").asText())
      assert(found("waited for the rate limit, all rows together").endsWith("s"))
    }
  }

  test("a write without a mode has them, too") {
    Origin.using() { origin =>
      assert(metricsOf(write(rows(25), config(origin), None))("rows answered") == "25")
    }
  }

  test("they are told while a task waits for its last answers") {
    Origin.using("--latency", "fixed:5s") { origin =>
      val writing = new Thread(() => write(rows(30), config(origin)))
      writing.setDaemon(true)
      writing.start()
      def running = store.executionsList().filter(_.completionTime.isEmpty).map(metrics)
      Eventually.until("30 rows in flight in Spark's store")(running.exists(_.get("rows in flight").contains("30")))
      writing.join(Eventually.Patience)
      assert(!writing.isAlive)
    }
  }

  test("each metric has a name of its own and a class that Spark can make by its name") {
    for (metric <- WriteMetrics.all) {
      val made = metric.getClass.getDeclaredConstructor().newInstance()
      assert(made.name == metric.name && made.aggregateTaskMetrics(Array(0L, 0L)).nonEmpty)
    }
    assert(WriteMetrics.all.map(_.name).distinct.size == WriteMetrics.all.size)
    assert(WriteMetrics.all.map(_.description).asJava.stream().distinct().count() == WriteMetrics.all.size)
  }
}
