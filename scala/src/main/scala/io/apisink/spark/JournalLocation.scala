package io.apisink.spark

import io.apisink.ConfigException
import io.apisink.config.DriverPlan
import io.apisink.sink.{SinkTables, SinkTarget}
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/** Where a run's journal and ledger are. */
object JournalLocation {

  /** Spark setting with the directory for configs that name none. */
  val Setting = "spark.apisink.journal"

  /** Delta ignores names that begin with an underscore, VACUUM included. */
  private val BesidePath = "_apisink"

  /**
   * `execution.journal_path`, else [[Setting]], else `_apisink` below the sink's path.
   *
   * @param setting value of [[Setting]]
   */
  def resolve(plan: DriverPlan, setting: Option[String], sink: SinkTables, conf: Configuration): Path = {
    val directory = plan.journalPath.orElse(setting).map(new Path(_)).getOrElse {
      sink.target match {
        case SinkTarget.AtPath(path) => new Path(path, BesidePath)
        case SinkTarget.Named(table) => throw new ConfigException(
            "JOURNAL_PATH",
            s"the sink is the table $table and nothing says where the journal goes",
            "Write execution.journal_path in the config (a directory on storage that driver and executors share), or" +
              s" set $Setting."
          )
      }
    }
    val qualified = directory.getFileSystem(conf).makeQualified(directory)
    sink.target match {
      case SinkTarget.AtPath(path) if sink.overwritesFiles && isBelow(qualified, path) =>
        throw new ConfigException(
          "JOURNAL_PATH",
          s"the journal $qualified lies within the sink, and overwriting a table of format ${sink.format} removes" +
            " every file there",
          "Write execution.journal_path in the config: a directory outside of the sink."
        )
      case _ => qualified
    }
  }

  private def isBelow(path: Path, root: Path): Boolean =
    Iterator.iterate(path)(_.getParent).takeWhile(_ != null).contains(root)
}
