package io.apisink.sink

import io.apisink.ConfigException
import io.apisink.config.TableSettings
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.{DataFrame, DataFrameWriter, Row, SparkSession}
import org.apache.spark.sql.apisink.Sessions

/** Where a table is: at a path, or under a name in a catalog. */
sealed trait SinkTarget {

  /** As people write it; stands in the ledger. */
  def name: String

  /** The rows of the table that is there, if there is one. */
  def existing(spark: SparkSession, format: String): Option[DataFrame] = this match {
    case SinkTarget.AtPath(path) =>
      // The directory may be there for the journal's sake.
      val fs = path.getFileSystem(Sessions.hadoopConf(spark))
      val visible = fs.exists(path) && fs.listStatus(path).exists(file => !"._".contains(file.getPath.getName.head))
      Option.when(if (SinkTarget.isDelta(format)) fs.exists(new Path(path, "_delta_log")) else visible) {
        spark.read.format(format).load(path.toString)
      }
    case SinkTarget.Named(table) => Option.when(spark.catalog.tableExists(table))(spark.table(table))
  }

  /** Runs a write to the table. */
  def save(writer: DataFrameWriter[Row]): Unit = this match {
    case SinkTarget.AtPath(path) => writer.save(path.toString)
    case SinkTarget.Named(table) => writer.saveAsTable(table)
  }
}

object SinkTarget {

  final case class AtPath(path: Path) extends SinkTarget {
    override def name: String = path.toString
  }

  final case class Named(table: String) extends SinkTarget {
    override def name: String = table
  }

  def isDelta(format: String): Boolean = format.equalsIgnoreCase("delta")

  /** @param conf resolves a path without a scheme, so that the ledger names the same place on every driver */
  def of(table: TableSettings, conf: Configuration): SinkTarget = (table.table, table.path) match {
    case (Some(name), _) => Named(name)
    case (None, Some(path)) =>
      val raw = new Path(path)
      AtPath(raw.getFileSystem(conf).makeQualified(raw))
    case (None, None) => throw new ConfigException(
        "SINK_MISSING",
        "the config names no sink",
        "Write tables.sink.path, or tables.sink.name with namespace."
      )
  }
}
