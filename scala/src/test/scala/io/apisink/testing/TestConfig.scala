package io.apisink.testing

import java.nio.file.Path

/**
 * A config as a person would write it, with what tests vary. Lists hold the lines of a section, not indented.
 *
 * @param sink lines of `tables.sink`
 * @param source lines of `tables.source` beside `id_column`
 */
final case class TestConfig(
    baseUrl: String,
    sink: Seq[String],
    partitions: Int = 4,
    method: String = "POST",
    urlPath: String = "/v1/patient/{patient_id}",
    execution: Seq[String] = Nil,
    transport: Seq[String] = Nil,
    auth: Seq[String] = Seq("type: none"),
    endpoint: Seq[String] = Nil,
    middleware: Seq[String] = Seq("retry", "timing", "json_body"),
    idColumn: Option[String] = Some("tracking_id"),
    source: Seq[String] = Nil,
    mapping: Seq[String] = Nil
) {

  def yaml: String = {
    def section(name: String, lines: Seq[String], indent: Int = 0): String = {
      val pad = " " * indent
      if (lines.isEmpty) "" else lines.map(line => s"$pad  $line").mkString(s"$pad$name:\n", "\n", "\n")
    }
    section("execution", s"partitions: $partitions" +: execution) +
      section("transport", transport) +
      section("auth", auth) +
      section(
        "endpoint",
        Seq(s"method: $method", s"""base_path: "$baseUrl"""", s"""url_path: "$urlPath"""") ++ endpoint
      ) +
      section("middleware", middleware.map(m => if (m.startsWith("{")) s"- $m" else s"- type: $m")) +
      "tables:\n" +
      section("source", idColumn.map(name => s"id_column: $name") ++: source, 2) +
      section("sink", sink, 2) +
      section("column_mapping", mapping.map(m => s"- $m"), 2)
  }
}

object TestConfig {

  def atPath(origin: Origin, sink: Path): TestConfig = TestConfig(origin.url, Seq(s"""path: "$sink""""))
}
