package io.apisink.sink

import java.util.UUID

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.apisink.Formats
import org.apache.spark.sql.expressions.Window
import org.apache.spark.sql.functions.{col, row_number, when}

/**
 * A Delta table with one row per tracking_id: that of the last run that had it. Rows without a tracking_id are left out.
 *
 * Written by Spark's MERGE INTO, in sessions of the commit's own (see [[merge]]).
 */
final class CurrentTable(target: SinkTarget) {

  def name: String = target.name

  /** Fails when this session cannot write Delta tables at all. Changes nothing. */
  def check(): Unit = if (!Formats.exists("delta")) throw ResponseTable.noDelta(target)

  /**
   * Puts a run's rows in the place of those that are there for the same ids; creates the table when there is none, and
   * adds columns that a table of an older version lacks.
   *
   * Delta keeps (`transaction`, `version`) with the commit and silently skips a pair that it has seen.
   *
   * @param responses rows as the sink has them, `ingested_at` included, of a session that nobody else writes with: the
   *   transaction is told to Delta by its settings
   */
  def merge(responses: DataFrame, transaction: String, version: Int): Unit = {
    val session = responses.sparkSession
    create(responses)
    val rows = s"apisink_${UUID.randomUUID().toString.replace("-", "")}"
    CurrentTable.lastPerId(responses).createOrReplaceTempView(rows)
    try {
      session.conf.set("spark.databricks.delta.write.txnAppId", transaction)
      session.conf.set("spark.databricks.delta.write.txnVersion", version.toLong)
      session.sql(
        s"""MERGE WITH SCHEMA EVOLUTION INTO $sqlName AS current USING $rows AS run
           |ON current.tracking_id = run.tracking_id
           |WHEN MATCHED THEN UPDATE SET *
           |WHEN NOT MATCHED THEN INSERT *""".stripMargin
      )
    } finally session.catalog.dropTempView(rows)
    ()
  }

  private def create(responses: DataFrame): Unit =
    target.save(responses.limit(0).write.format("delta").mode("ignore"))

  private def sqlName: String = target match {
    case SinkTarget.AtPath(path) => s"delta.`${path.toString.replace("`", "``")}`"
    case SinkTarget.Named(table) => table
  }
}

private object CurrentTable {

  /** An id that stood in several source rows: what was sent tells more than what was refused. */
  private def lastPerId(responses: DataFrame): DataFrame = {
    val byId = Window.partitionBy("tracking_id")
      .orderBy(when(col("outcome") === "invalid_row", 1).otherwise(0), col("started_at").desc_nulls_last)
    responses
      .where(col("tracking_id").isNotNull)
      .withColumn("apisink_rank", row_number().over(byId))
      .where(col("apisink_rank") === 1)
      .drop("apisink_rank")
  }
}
