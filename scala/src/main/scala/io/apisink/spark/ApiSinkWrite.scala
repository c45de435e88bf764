package io.apisink.spark

import java.util.UUID

import io.apisink.config.CompiledConfig
import io.apisink.journal.ResumeRule
import io.apisink.ledger.{Ledger, LockHolder, RunLock}
import io.apisink.metrics.WriteMetrics
import io.apisink.sink.SinkTables
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.Sessions
import org.apache.spark.sql.connector.distributions.{Distribution, Distributions}
import org.apache.spark.sql.connector.expressions.{Expression, Expressions, SortOrder}
import org.apache.spark.sql.connector.metric.{CustomMetric, CustomTaskMetric}
import org.apache.spark.sql.connector.write.{BatchWrite, RequiresDistributionAndOrdering}

/**
 * A planned write: rows spread by their id, or by their content when they have none, over a fixed number of partitions,
 * so that a partition holds the same rows in every attempt and in every run of the same run id.
 *
 * Spark makes and prints this object while it plans, EXPLAIN included: no effect before [[toBatch]], no case class,
 * nothing secret in `toString`.
 */
private[spark] final class ApiSinkWrite(
    spark: SparkSession,
    config: CompiledConfig,
    columns: SourceColumns,
    options: WriteOptions,
    sink: SinkTables,
    journal: Path,
    warnings: Seq[String]
) extends RequiresDistributionAndOrdering {

  override def requiredDistribution(): Distribution = {
    // Quoted: a name is one column's, whatever dots it has.
    val quoted = columns.identity.fieldNames.map(name => s"`${name.replace("`", "``")}`")
    Distributions.clustered(quoted.map(name => Expressions.column(name): Expression))
  }

  override def distributionStrictlyRequired(): Boolean = true

  override def requiredOrdering(): Array[SortOrder] = Array.empty

  /** A run that was opened before keeps its number of partitions, whatever the config says now. */
  override def requiredNumPartitions(): Int =
    if (options.dryRun) config.driver.partitions
    else {
      val id = options.runId.getOrElse(derivedId(RunOrdinals.peek))
      ledger(id).opened().fold(config.driver.partitions)(_.partitions)
    }

  override def toBatch: BatchWrite = batch

  override def supportedCustomMetrics(): Array[CustomMetric] = WriteMetrics.all.toArray

  override def reportDriverMetrics(): Array[CustomTaskMetric] = WriteMetrics.ofRun(batch.latencies)

  override def description(): String = s"apisink to ${sink.target.name}"

  override def toString: String = s"ApiSinkWrite(plan ${config.driver.planDigest.take(8)}, sink ${sink.target.name})"

  /** Once: the run's id depends on how often the plan was written before. */
  private lazy val batch: ApiSinkBatchWrite = {
    // A dry run is none of the runs that it tries out: it gets an id that nobody has.
    val id =
      if (options.dryRun) s"dry-run-${UUID.randomUUID()}"
      else options.runId.getOrElse(derivedId(RunOrdinals.take))
    val runLedger = ledger(id)
    val tables = if (options.dryRun) SinkTables.rendered(runLedger.directory) else sink
    val rule = ResumeRule(config.driver.resendOnResume)
    val run = new Run(
      id,
      options.runId.isDefined,
      runLedger,
      new RunLock(runLedger.directory, Sessions.hadoopConf(spark)),
      new JournalToTables(spark, runLedger.directory, tables.rowsTable(spark), tables.currentTable),
      rule,
      LockHolder.here(spark.sparkContext.applicationId),
      options.takeOver,
      options.dryRun,
      result => options.result.foreach(RunResults.put(_, result))
    )
    val delivered = config.driver.skipDelivered.map { which =>
      new DeliveredRows(spark, sink, which, columns.identity.head.dataType, id)
    }
    val write =
      new ApiSinkBatchWrite(spark, config, columns, warnings, run, runLedger, rule, tables.target.name, delivered)
    write.check()
    write
  }

  private def derivedId(ordinal: (String, String) => Long): String = {
    val application = spark.sparkContext.applicationId
    RunId.derived(application, config.driver.planDigest, ordinal(application, config.driver.planDigest))
  }

  private def ledger(id: String): Ledger = new Ledger(new Path(journal, id), Sessions.hadoopConf(spark))
}
