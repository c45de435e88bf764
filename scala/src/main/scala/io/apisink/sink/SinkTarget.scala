package io.apisink.sink

import io.apisink.ConfigException
import io.apisink.config.TableSettings
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/** Where a table is: at a path, or under a name in a catalog. */
sealed trait SinkTarget {

  /** As people write it; stands in the ledger. */
  def name: String
}

object SinkTarget {

  final case class AtPath(path: Path) extends SinkTarget {
    override def name: String = path.toString
  }

  final case class Named(table: String) extends SinkTarget {
    override def name: String = table
  }

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
