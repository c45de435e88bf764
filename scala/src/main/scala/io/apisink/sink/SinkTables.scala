package io.apisink.sink

import io.apisink.config.{SinkSettings, TableSettings}
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.{DataFrame, SparkSession}

/**
 * The tables of a config's sink, not opened yet.
 *
 * @param target of `tables.sink`: identifies the run's sink in the ledger, also when no row goes there
 * @param overwrite whether rows replace those that are there
 * @param current table with one current row per tracking_id, if there is one
 * @param hasRows whether `target` gets a row for every exchange
 */
final class SinkTables(
    val target: SinkTarget,
    val format: String,
    val overwrite: Boolean,
    val current: Option[SinkTarget],
    val hasRows: Boolean
) {

  /** Whether every file below a `path` sink goes when it is overwritten, whatever its name. */
  def overwritesFiles: Boolean = overwrite && !format.equalsIgnoreCase("delta")

  /** The rows that earlier runs have left in the table in which every answer can be found; none when there is none yet. */
  def answers(spark: SparkSession): Option[DataFrame] =
    if (hasRows) target.existing(spark, format) else current.flatMap(_.existing(spark, "delta"))

  def rowsTable(spark: SparkSession): Option[ResponseTable] =
    Option.when(hasRows)(new ResponseTable(spark, target, format, overwrite))

  def currentTable: Option[CurrentTable] = current.map(new CurrentTable(_))
}

object SinkTables {

  /** For a dry run: a Delta table in the run's directory. The config's own tables are left alone. */
  def rendered(directory: Path): SinkTables =
    new SinkTables(SinkTarget.AtPath(new Path(directory, "rendered")), "delta", false, None, hasRows = true)

  /**
   * @param overwrite whether the caller asks for it, whatever the config says
   * @param conf resolves paths without a scheme
   */
  def of(sink: SinkSettings, overwrite: Boolean, conf: Configuration): SinkTables = {
    def target(table: TableSettings): SinkTarget = SinkTarget.of(table, conf)
    new SinkTables(
      target(sink.target),
      sink.format,
      overwrite || sink.overwrite,
      sink.merge.map(merge => target(merge.target)),
      sink.merge.forall(_.appendRows)
    )
  }
}
