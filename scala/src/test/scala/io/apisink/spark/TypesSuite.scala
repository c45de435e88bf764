package io.apisink.spark

import java.net.URLDecoder
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import io.apisink.testing.{Origin, SparkTest, TestConfig}

/** Every Spark type of a source column on its way to the server: each line of docs/reference/types.md. */
final class TypesSuite extends SparkTest {

  /** The rows of the table: SQL of the example, its JSON form, its text form. */
  private lazy val table: Seq[(String, String, String)] =
    Files
      .readAllLines(Path.of("docs/reference/types.md"))
      .asScala
      .toSeq
      .filter(_.startsWith("| `"))
      .map(_.split('|').map(_.trim.stripPrefix("`").stripSuffix("`")))
      .map(cells => (cells(2), cells(3), cells(4)))

  test("every type reaches JSON bodies and query parameters in its documented form") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      assert(table.size == 18)
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
      assert(URLDecoder.decode(request.required("query").asText(), UTF_8) == query)
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
