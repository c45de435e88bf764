package io.apisink.spark

import io.apisink.ConfigException
import io.apisink.config.DriverPlan
import io.apisink.sink.SinkTarget
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
  def resolve(plan: DriverPlan, setting: Option[String], sink: SinkTarget, conf: Configuration): Path = {
    val directory = plan.journalPath.orElse(setting).map(new Path(_)).getOrElse {
      sink match {
        case SinkTarget.AtPath(path) => new Path(path, BesidePath)
        case SinkTarget.Named(table) => throw new ConfigException(
            "JOURNAL_PATH",
            s"the sink is the table $table and nothing says where the journal goes",
            "Write execution.journal_path in the config (a directory on storage that driver and executors share), or" +
              s" set $Setting."
          )
      }
    }
    directory.getFileSystem(conf).makeQualified(directory)
  }
}
