package io.apisink.spark

import io.apisink.config.{ConfigCompiler, Purpose, ReferenceResolver}
import io.apisink.sink.SinkTables
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.Sessions
import org.apache.spark.sql.connector.write.{LogicalWriteInfo, SupportsTruncate, Write, WriteBuilder}

/**
 * From options to a planned write. Spark's optimizer calls [[build]], for EXPLAIN too: it reads (config file,
 * environment, ledger) and checks, so that mistakes come before any task, and changes nothing.
 */
private[spark] final class ApiSinkWriteBuilder(info: LogicalWriteInfo) extends WriteBuilder with SupportsTruncate {

  private var overwrite = false

  /** Mode overwrite, which the config may ask for as well. */
  override def truncate(): WriteBuilder = {
    overwrite = true
    this
  }

  override def build(): Write = {
    val spark = SparkSession.active
    val conf = Sessions.hadoopConf(spark)
    val options = ApiSinkOptions.forWrite(info.options())
    val source = ConfigTables.text(options.config, options.overrides, spark)
    val purpose = Purpose(Some(info.schema().fieldNames.toSeq), Some(!options.rowsOfConfig), options.dryRun)
    val config = new ConfigCompiler(ReferenceResolver.of(spark)).compile(source, purpose)
    val columns = SourceColumns.select(info.schema(), config.driver)
    val context = spark.sparkContext
    val warnings = Preflight.check(context.getConf, !context.isLocal, config.driver, !config.secrets.isEmpty)
    val tables = SinkTables.of(config.driver.sink, overwrite, conf)
    val journal = JournalLocation.resolve(config.driver, spark.conf.getOption(JournalLocation.Setting), tables, conf)
    new ApiSinkWrite(spark, config, columns, options, tables, journal, config.driver.warnings ++ warnings)
  }
}
