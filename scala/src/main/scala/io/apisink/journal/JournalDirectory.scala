package io.apisink.journal

import io.apisink.ledger.PartitionFiles
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/** What of a run's journal is there now. */
private[apisink] final class JournalDirectory(directory: Path, conf: Configuration) {

  private val store = new Files(conf)

  /** The finished files of all partitions, in the order in which a task attempt reads them. Their rows are not counted. */
  def files(): Seq[PartitionFiles] =
    store.names(directory).filter(JournalFile.isPartitionDirectory).sorted.map { name =>
      val statuses = store.statuses(new Path(directory, name)).filter(s => JournalFile.isFinished(s.getPath.getName))
      PartitionFiles(
        name.drop(1).toInt,
        statuses.sortBy(_.getPath.getName).map(s => JournalFile(s"$name/${s.getPath.getName}", 0, s.getLen))
      )
    }.filter(_.files.nonEmpty)
}
