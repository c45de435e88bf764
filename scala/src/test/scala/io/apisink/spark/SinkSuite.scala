package io.apisink.spark

import java.nio.file.Path

import scala.jdk.CollectionConverters._

import io.apisink.sink.{ResponseTable, SinkTarget}
import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path => HadoopPath}
import org.apache.parquet.hadoop.ParquetFileReader
import org.apache.parquet.hadoop.util.HadoopInputFile
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.apisink.Sessions
import org.apache.spark.sql.functions.{col, concat, lit, struct}

/** What `tables.sink` says beyond an append to a Delta table. */
final class SinkSuite extends SparkTest {

  private def patients(ids: Range): DataFrame = spark
    .range(ids.start.toLong, ids.end.toLong)
    .select(
      concat(lit("t-"), col("id")).as("tracking_id"),
      concat(lit("p-"), col("id")).as("patient_id"),
      (col("id") / 4).cast("decimal(10,2)").as("amount"),
      struct(col("id").as("deep"), lit("x").as("text")).as("nested")
    )

  private def write(df: DataFrame, config: TestConfig, options: (String, String)*): Unit =
    df.write.format("apisink").option("configText", config.yaml).options(options.toMap).mode("append").save()

  private def sinkAt(path: Path, more: String*): Seq[String] = s"""path: "$path"""" +: more

  test("source columns are kept beside the response, in their own types, also of rows that were not sent") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      val config = TestConfig(origin.url, sinkAt(sink, "source_columns: [nested, amount]"))
      write(patients(0 until 50).union(patients(7 until 8)), config)
      val rows = delta(sink)
      assert(rows.schema("amount").dataType.sql == "DECIMAL(10,2)")
      assert(rows.count() == 51)
      assert(rows.where("outcome = 'success'").where("tracking_id <> concat('t-', nested.deep)").isEmpty)
      assert(rows.where("tracking_id = 't-7'").select("outcome", "amount", "nested.text").collect().toSet ==
        Set(
          Row("success", new java.math.BigDecimal("1.75"), "x"),
          Row("invalid_row", new java.math.BigDecimal("1.75"), "x")
        ))
    }
  }

  test("a run that goes on keeps its source columns, and refuses others") {
    Origin.using() { origin =>
      val directory = newDirectory()
      val config = TestConfig(
        origin.url,
        sinkAt(directory.resolve("sink"), "source_columns: [amount]"),
        execution = Seq(s"""journal_path: "${directory.resolve("journal")}"""")
      )
      write(patients(0 until 5), config, "runId" -> "r")
      val other = config.copy(sink = sinkAt(directory.resolve("sink"), "source_columns: [nested]"))
      val refused = intercept[io.apisink.LedgerException](write(patients(0 until 5), other, "runId" -> "r"))
      assert(
        refused.getMessage.contains(
          "the columns that the sink keeps of the source and of answers: was amount DECIMAL(10,2)"
        ),
        refused.getMessage
      )
    }
  }

  test("Parquet begins no dictionary of what differs in each row, and the caller's session does not notice") {
    val sink = newDirectory().resolve("sink")
    // Values of which it would make one.
    val rows = Sessions.copyOf(spark).range(50).selectExpr("'same' AS request_id", "'same' AS outcome")
    val target = SinkTarget.AtPath(new HadoopPath(sink.toUri))
    new ResponseTable(spark, target, "delta", overwrite = false).write(rows, "transaction", 0, files = 1)
    val file = HadoopInputFile.fromPath(new HadoopPath(delta(sink).inputFiles.head), new Configuration)
    val reader = ParquetFileReader.open(file)
    val columns =
      try reader.getFooter.getBlocks.asScala.head.getColumns.asScala.toList
      finally reader.close()
    assert(columns.map(c => c.getPath.toDotString -> c.hasDictionaryPage) ==
      List("request_id" -> false, "outcome" -> true))
    assert(spark.conf.getOption("parquet.enable.dictionary#request_id").isEmpty)
  }

  test("the copy of a session, which tables are written with, begins in its current catalog and namespace") {
    spark.conf.set("spark.sql.catalog.other", classOf[ApiSinkCatalog].getName)
    spark.catalog.setCurrentCatalog("other")
    spark.catalog.setCurrentDatabase("place")
    try {
      val copy = Sessions.copyOf(spark).catalog
      assert(copy.currentCatalog() == "other")
      assert(copy.currentDatabase == "place")
    } finally {
      spark.catalog.setCurrentCatalog("spark_catalog")
      spark.conf.unset("spark.sql.catalog.other")
    }
  }

  test("a table without the columns of today is extended by the append") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      spark.sql(s"CREATE TABLE delta.`$sink` (run_id STRING, tracking_id STRING, mine INT) USING delta")
      spark.sql(s"INSERT INTO delta.`$sink` VALUES ('old', 't-old', 7)")
      write(patients(0 until 5), TestConfig(origin.url, sinkAt(sink)))
      assert(delta(sink).where("outcome = 'success' AND mine IS NULL").count() == 5)
      assert(delta(sink).where("run_id = 'old' AND mine = 7 AND outcome IS NULL").count() == 1)
    }
  }

  test("overwrite, by the config or by the mode of the write, leaves the rows of the last run") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      write(patients(0 until 10), TestConfig(origin.url, sinkAt(sink)))
      write(patients(0 until 7), TestConfig(origin.url, sinkAt(sink, "mode: overwrite")))
      assert(delta(sink).count() == 7)
      patients(0 until 3).write.format("apisink").option("configText", TestConfig(origin.url, sinkAt(sink)).yaml)
        .mode("overwrite").save()
      assert(delta(sink).count() == 3)
      assert(delta(sink).select("outcome").distinct().collect().toSeq == Seq(Row("success")))
    }
  }

  test("a sink of another format gets the same rows, with a warning about the promise that it loses") {
    Origin.using() { origin =>
      val sink = newDirectory().resolve("sink")
      write(patients(0 until 10), TestConfig(origin.url, sinkAt(sink, "format: parquet")))
      write(patients(0 until 5), TestConfig(origin.url, sinkAt(sink, "format: parquet")))
      val rows = spark.read.parquet(sink.toString)
      assert(rows.count() == 15)
      assert(rows.select("run_id").distinct().count() == 2)
    }
  }

  test("the merged table has one current row per tracking_id, the sink one per exchange") {
    Origin.using() { origin =>
      val (sink, current) = (newDirectory().resolve("sink"), newDirectory().resolve("current"))
      val config = TestConfig(origin.url, sinkAt(sink, s"""merge: {path: "$current"}"""))
      write(patients(0 until 10), config, "runId" -> "monday")
      // Rows without an id are in no merged table, and a repeated one does not hide what was sent.
      val tuesday = patients(5 until 12).union(patients(5 until 6))
        .union(patients(0 until 1).withColumn("tracking_id", lit(null)))
      write(tuesday, config, "runId" -> "tuesday")
      assert(delta(sink).count() == 19)
      val rows = delta(current)
      assert(rows.count() == 12 && rows.select("tracking_id").distinct().count() == 12)
      val runs = rows.groupBy("run_id", "outcome").count().collect().toSet
      assert(runs == Set(Row("monday", "success", 5L), Row("tuesday", "success", 7L)))
    }
  }

  test("with append_rows off the merged table is the only one, by name too, and columns are added to it") {
    Origin.using() { origin =>
      val directory = newDirectory()
      def config(columns: String) = TestConfig(
        origin.url,
        Seq(
          "namespace: default",
          "name: answers_never_made",
          "merge: {namespace: default, name: answers_current, append_rows: false}",
          s"source_columns: $columns"
        ),
        execution = Seq(s"""journal_path: "${directory.resolve("journal")}"""")
      )
      try {
        write(patients(0 until 4), config("[]"))
        write(patients(2 until 6), config("[amount]"))
        assert(!spark.catalog.tableExists("default.answers_never_made"))
        val rows = spark.table("default.answers_current")
        assert(rows.count() == 6)
        assert(rows.where("amount is not null").count() == 4)
      } finally spark.sql("DROP TABLE IF EXISTS default.answers_current")
    }
  }

  test("settings that a commit makes for itself are not left in the session") {
    Origin.using() { origin =>
      val current = newDirectory().resolve("current")
      write(
        patients(0 until 2),
        TestConfig(origin.url, sinkAt(newDirectory().resolve("s"), s"""merge: {path: "$current"}"""))
      )
      assert(spark.conf.getOption("spark.databricks.delta.write.txnAppId").isEmpty)
      assert(spark.catalog.listTables().collect().forall(!_.name.startsWith("apisink_")))
    }
  }
}
