package io.apisink

import java.util.UUID

import scala.jdk.CollectionConverters._

import io.apisink.config.SourceSettings
import io.apisink.source.SourceRows
import io.apisink.spark.{ApiSinkProvider, ConfigOption, ConfigTables, RunResults}
import org.apache.spark.sql.{DataFrame, Dataset, Row, SparkSession}
import org.apache.spark.sql.functions.col

/**
 * A config's whole pipeline in one call: its source's rows, or a DataFrame's, are sent, and their answers are in its
 * sink when the call returns.
 *
 * The methods take the options of the data source beside `config`: `runId`, `takeOver`, `dryRun` and
 * `set.<section>.<key>`. They throw what `save()` throws: an [[ApiSinkException]] for what is refused, Spark's own
 * exceptions for jobs that fail.
 */
object ApiSink {

  /** Sends the rows that `tables.source` names. */
  def run(spark: SparkSession, configPath: String): RunResult = run(spark, configPath, None)

  /** Sends the rows of a DataFrame. For Java. */
  def run(spark: SparkSession, configPath: String, sourceDf: Dataset[Row]): RunResult =
    run(spark, configPath, Option(sourceDf))

  /**
   * Sends the rows of a DataFrame. For Java.
   *
   * @param sourceDf null for the rows that `tables.source` names
   */
  def run(
      spark: SparkSession,
      configPath: String,
      sourceDf: Dataset[Row],
      options: java.util.Map[String, String]
  ): RunResult = run(spark, configPath, Option(sourceDf), options.asScala.toMap)

  /**
   * Sends the rows of a DataFrame, or those that `tables.source` names: exactly one of both must be there.
   *
   * @param configPath on any Hadoop file system
   * @return how the rows ended. A run that was finished before is found finished: nothing is sent
   */
  def run(
      spark: SparkSession,
      configPath: String,
      sourceDf: Option[DataFrame],
      options: Map[String, String] = Map.empty
  ): RunResult = {
    val rows = sourceDf.getOrElse {
      val config = ConfigOption.File(configPath)
      SourceRows.read(spark, ConfigTables.plan(spark, config, overrides(options), dataFrame = Some(false)).source)
    }
    val result = UUID.randomUUID().toString
    val writer = rows.write
      .format(classOf[ApiSinkProvider].getName)
      .options(options)
      .option("config", configPath)
      .option("result", result)
      .mode("append")
    if (sourceDf.isEmpty) writer.option("rows", "config").save() else writer.save()
    RunResults.find(result).getOrElse(throw new IllegalStateException(s"the write of $configPath left no result"))
  }

  /**
   * The rows of a run that were not answered with success, for a look or for another try: joined with the source by
   * `tracking_id` they are the rows to send again, under another runId.
   *
   * @return tracking_id, outcome, status_code, error, attempts; read from the sink when it is used
   */
  def failed(spark: SparkSession, configPath: String, runId: String): DataFrame = {
    val (table, format) = ConfigTables.plan(spark, ConfigOption.File(configPath), Nil, dataFrame = None).sink.answers
    SourceRows
      .read(spark, SourceSettings(table, Some(format)))
      .where(col("run_id") === runId && col("outcome") =!= "success")
      .select("tracking_id", "outcome", "status_code", "error", "attempts")
  }

  private def overrides(options: Map[String, String]): Seq[(String, String)] =
    options.toSeq.collect { case (s"set.$key", value) => key -> value }
}
