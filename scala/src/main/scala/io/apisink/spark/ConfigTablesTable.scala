package io.apisink.spark

import io.apisink.config.{ConfigCompiler, ConfigSource, DriverPlan, Purpose, ReferenceResolver}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.Sessions
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.util.ArrayData
import org.apache.spark.sql.types.{ArrayType, StringType, StructType}
import org.apache.spark.sql.util.CaseInsensitiveStringMap
import org.apache.spark.unsafe.types.UTF8String

/**
 * The tables that a config names, for callers outside of the JVM that read rows and answers themselves. The config is
 * checked whole, but for the columns that nobody knows yet.
 */
private[spark] final class ConfigTablesTable extends OneRowTable("apisink tables", ConfigTablesTable.columns) {

  override protected def row(options: CaseInsensitiveStringMap): InternalRow =
    ApiSinkOptions.forRead(options) match {
      case read: ReadOptions.Tables =>
        val plan = ConfigTables.plan(SparkSession.active, read.config, read.overrides, dataFrame = None)
        val (source, (sink, format)) = (plan.source, plan.sink.answers)
        def text(value: Option[String]): UTF8String = value.map(UTF8String.fromString).orNull
        InternalRow(
          text(source.target.table),
          text(source.target.path),
          text(source.format),
          text(source.filter),
          ArrayData.toArrayData(source.select.map(UTF8String.fromString).toArray[Any]),
          text(sink.table),
          text(sink.path),
          text(Some(format))
        )
      case other => throw new IllegalStateException(s"not options of a config's tables: ${other.getClass.getName}")
    }
}

private[spark] object ConfigTablesTable {

  /** Of the source nothing is set when the config leaves it to a DataFrame; of `*_table` and `*_path` at most one. */
  val columns: StructType = new StructType()
    .add("source_table", StringType)
    .add("source_path", StringType)
    .add("source_format", StringType)
    .add("source_filter", StringType)
    .add("source_select", ArrayType(StringType, containsNull = false), nullable = false)
    .add("sink_table", StringType)
    .add("sink_path", StringType)
    .add("sink_format", StringType, nullable = false)
}

private[apisink] object ConfigTables {

  /**
   * Compiles a config for what it says to the driver, before the rows' columns are known.
   *
   * @param dataFrame see [[Purpose]]
   */
  def plan(
      spark: SparkSession,
      config: ConfigOption,
      overrides: Seq[(String, String)],
      dataFrame: Option[Boolean]
  ): DriverPlan = {
    val purpose = Purpose(columns = None, dataFrame, dryRun = false)
    new ConfigCompiler(ReferenceResolver.of(spark)).compile(text(config, overrides, spark), purpose).driver
  }

  /** The text of a config that an option names. */
  def text(config: ConfigOption, overrides: Seq[(String, String)], spark: SparkSession): ConfigSource = {
    val source = config match {
      case ConfigOption.File(path) => ConfigSource.read(path, Sessions.hadoopConf(spark))
      case text: ConfigOption.Text => ConfigSource.inline(text.text)
    }
    source.withOverrides(overrides)
  }
}
