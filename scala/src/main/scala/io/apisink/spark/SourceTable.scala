package io.apisink.spark

import io.apisink.config.{ConfigCompiler, ConfigSource, Purpose, ReferenceResolver, SourceSettings}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.Sessions
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.util.ArrayData
import org.apache.spark.sql.types.{ArrayType, StringType, StructType}
import org.apache.spark.sql.util.CaseInsensitiveStringMap
import org.apache.spark.unsafe.types.UTF8String

/**
 * What a config says of its source, for callers that read the rows themselves, as the Python package does: the config
 * is checked whole, but for the columns that nobody knows yet.
 */
private[spark] final class SourceTable extends OneRowTable("apisink source", SourceTable.columns) {

  override protected def row(options: CaseInsensitiveStringMap): InternalRow =
    ApiSinkOptions.forRead(options) match {
      case read: ReadOptions.Source =>
        val source = SourceTable.settings(SparkSession.active, read.config, read.overrides)
        def text(value: Option[String]): UTF8String = value.map(UTF8String.fromString).orNull
        InternalRow(
          text(source.target.table),
          text(source.target.path),
          text(source.format),
          text(source.filter),
          ArrayData.toArrayData(source.select.map(UTF8String.fromString).toArray[Any])
        )
      case other => throw new IllegalStateException(s"not options of a source: ${other.getClass.getName}")
    }
}

private[apisink] object SourceTable {

  /** Either `table` or `path` and `format`; `filter` and `select` are Spark SQL. */
  val columns: StructType = new StructType()
    .add("table", StringType)
    .add("path", StringType)
    .add("format", StringType)
    .add("filter", StringType)
    .add("select", ArrayType(StringType, containsNull = false), nullable = false)

  /** Compiles a config whose own source is to be read, and says where that is. */
  def settings(spark: SparkSession, config: ConfigOption, overrides: Seq[(String, String)]): SourceSettings = {
    val source = read(config, overrides, spark)
    val purpose = Purpose(columns = None, dataFrame = false, dryRun = false)
    new ConfigCompiler(ReferenceResolver.of(spark)).compile(source, purpose).driver.source
  }

  /** The text of a config that an option names. */
  def read(config: ConfigOption, overrides: Seq[(String, String)], spark: SparkSession): ConfigSource = {
    val source = config match {
      case ConfigOption.File(path) => ConfigSource.read(path, Sessions.hadoopConf(spark))
      case text: ConfigOption.Text => ConfigSource.inline(text.text)
    }
    source.withOverrides(overrides)
  }
}
