package io.apisink.spark

import io.apisink.LedgerException
import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.spark.sql.{DataFrame, Row}

/** What `json_response` picks from answers, in the sink. The server answers with the body that it gets. */
final class JsonResponseSuite extends SparkTest {

  private def answers(bodies: String*): DataFrame = {
    import scala.jdk.CollectionConverters._
    val rows = bodies.zipWithIndex.map { case (body, index) => Row(s"t-$index", body) }
    spark.createDataFrame(rows.asJava, org.apache.spark.sql.types.StructType.fromDDL("tracking_id string, body string"))
  }

  private def chain(fields: String) = Seq(
    s"{type: json_response, success_when: body.ok, error_message: /why, fields: [$fields]}",
    "retry",
    "{type: text_body, column: body}"
  )

  private val fields =
    "{name: no, pointer: /no, type: long}, {name: price, pointer: /price, type: double}, " +
      "{name: paid, pointer: /paid, type: boolean}, {name: customer, pointer: /customer}"

  private def write(df: DataFrame, config: TestConfig, runId: String): Unit =
    df.write.format("apisink").option("configText", config.yaml).option("runId", runId).mode("append").save()

  test("parts of the answers are typed columns of the sink, and bodies decide what a success is") {
    Origin.using("--mirror") { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        urlPath = "/v1/orders",
        sink = Seq(s"""path: "$sink"""", "source_columns: [body]"),
        middleware = chain(fields)
      )
      write(
        answers(
          """{"ok": true, "no": 9007199254740993, "price": 1.5, "paid": false, "customer": {"name": "Zoë"}}""",
          """{"ok": false, "no": 2, "why": "sold out"}""",
          """{"ok": true, "no": "3"}""",
          "<html>"
        ),
        config,
        "r"
      )
      val rows = delta(sink)
      val types = Seq("no", "price", "paid", "customer").map(rows.schema(_).dataType.sql)
      assert(types == Seq("BIGINT", "DOUBLE", "BOOLEAN", "STRING"))
      val read = rows.orderBy("tracking_id")
        .select("outcome", "error.kind", "error.message", "status_code", "no", "price", "paid", "customer")
        .collect().toSeq
      assert(read == Seq(
        Row("success", null, null, 200, 9007199254740993L, 1.5, false, """{"name":"Zoë"}"""),
        Row("http_error", "rejected_by_body", "sold out", 200, 2L, null, null, null),
        Row("invalid_response", "invalid_field", "the field no: /no is no long", 200, null, null, null, null),
        Row(
          "invalid_response",
          "invalid_json",
          "the body is no JSON: expected value at line 1 column 1",
          200,
          null,
          null,
          null,
          null
        )
      ))
      assert(rows.where("json = body").count() == 3)
      assert(rows.where("response_body = body").count() == 4)
    }
  }

  test("a run goes on with the same fields only, and another run adds new ones to the table") {
    Origin.using("--mirror") { origin =>
      val directory = newDirectory()
      val sink = directory.resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        urlPath = "/v1/orders",
        execution = Seq(s"""journal_path: "${directory.resolve("journal")}""""),
        middleware = chain("{name: no, pointer: /no, type: long}")
      )
      val df = answers("""{"ok": true, "no": 1, "customer": "a"}""")
      write(df, config, "r")
      write(df, config, "r")
      assert(origin.count("requests") == 1)
      val other = config.copy(middleware = chain(fields))
      val refused = intercept[LedgerException](write(df, other, "r"))
      assert(
        refused.getMessage.contains("of answers: was no BIGINT, is no BIGINT,price DOUBLE"),
        refused.getMessage
      )
      write(df, other, "r2")
      assert(delta(sink).orderBy("run_id").select("run_id", "no", "customer").collect().toSeq ==
        Seq(Row("r", 1L, null), Row("r2", 1L, "a")))
    }
  }
}
