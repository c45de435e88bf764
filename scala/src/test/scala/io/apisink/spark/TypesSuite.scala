package io.apisink.spark

import io.apisink.testing.{Origin, SparkTest, TestConfig}

/** Every Spark type of a source column on its way to the server: docs/reference/types.md, seen from the outside. */
final class TypesSuite extends SparkTest {

  /** SQL of a value, its JSON in the body, its text in the query; none for a type that has no single text. */
  private val table: Seq[(String, String, String)] = Seq(
    ("'Zoë \"Z\" & ü'", "\"Zoë \\\"Z\\\" & ü\"", "Zo%C3%AB%20%22Z%22%20%26%20%C3%BC"),
    ("cast(-128 as tinyint)", "-128", "-128"),
    ("cast(32767 as smallint)", "32767", "32767"),
    ("-7", "-7", "-7"),
    ("-9223372036854775808L", "-9223372036854775808", "-9223372036854775808"),
    ("cast(0.1 as float)", "0.1", "0.1"),
    ("cast(2 as double)", "2.0", "2.0"),
    ("cast('12345678901234567890.10' as decimal(30,2))", "12345678901234567890.10", "12345678901234567890.10"),
    ("true", "true", "true"),
    ("X'00FF'", "\"AP8=\"", "AP8%3D"),
    ("DATE'2026-01-31'", "\"2026-01-31\"", "2026-01-31"),
    ("TIMESTAMP'2026-01-31 12:50:45.12+02:00'", "\"2026-01-31T10:50:45.12Z\"", "2026-01-31T10%3A50%3A45.12Z"),
    ("TIMESTAMP_NTZ'2026-01-31 12:50:45'", "\"2026-01-31T12:50:45\"", "2026-01-31T12%3A50%3A45"),
    ("INTERVAL '3' MONTH", "\"P0Y3M\"", "P0Y3M"),
    ("INTERVAL '1 02:03:04' DAY TO SECOND", "\"P1DT2H3M4S\"", "P1DT2H3M4S"),
    ("array(1, null, 3)", "[1,null,3]", "%5B1%2Cnull%2C3%5D"),
    ("named_struct('a', 1, 'b', array('x'))", "{\"a\":1,\"b\":[\"x\"]}", "%7B%22a%22%3A1%2C%22b%22%3A%5B%22x%22%5D%7D"),
    ("map('k', 1.50)", "{\"k\":1.50}", "%7B%22k%22%3A1.50%7D")
  )

  test("every type reaches JSON bodies and query parameters in its documented form") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val columns = table.indices.map(i => s"c$i")
      val config = TestConfig.atPath(origin, sink).copy(
        urlPath = "/v1/types",
        middleware = Seq("param_injector", "json_body"),
        mapping = columns.map(c => s"{source_column: $c, endpoint_param: $c, in: body}") ++
          columns.map(c => s"{source_column: $c, endpoint_param: $c, in: query}")
      )
      val values = table.zip(columns).map { case ((sql, _, _), name) => s"$sql as $name" }
      val df = spark.range(1).selectExpr("'t' as tracking_id" +: values: _*)
      df.write.format("apisink").option("configText", config.yaml).mode("append").save()

      assert(delta(sink).selectExpr("outcome", "error.message").head().toString == "[success,null]")
      val request = origin.requests().head
      val body = table.zip(columns).map { case ((_, json, _), name) => s""""$name":$json""" }.mkString("{", ",", "}")
      assert(request.required("body").asText() == body)
      val query = table.zip(columns).map { case ((_, _, text), name) => s"$name=$text" }.mkString("&")
      assert(request.required("query").asText() == query)
    }
  }

  test("nulls are null in a body and leave their query parameter out") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig.atPath(origin, sink).copy(
        urlPath = "/v1/nulls",
        middleware = Seq("param_injector", "json_body"),
        mapping = Seq(
          "{source_column: a, endpoint_param: a, in: body}",
          "{source_column: s.x, endpoint_param: deep.x, in: body}",
          "{source_column: a, endpoint_param: a, in: query}",
          "{source_column: b, endpoint_param: b, in: query}"
        )
      )
      val df = spark.range(1).selectExpr(
        "'t' as tracking_id",
        "cast(null as int) as a",
        "1 as b",
        "cast(null as struct<x: string>) as s"
      )
      df.write.format("apisink").option("configText", config.yaml).mode("append").save()
      val request = origin.requests().head
      assert(request.required("body").asText() == """{"a":null,"deep":{"x":null}}""")
      assert(request.required("query").asText() == "b=1")
    }
  }
}
