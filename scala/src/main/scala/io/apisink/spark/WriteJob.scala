package io.apisink.spark

import io.apisink.config.SecretBytes
import io.apisink.journal.{DeliveredIds, FlushLimits, ResumeRule}
import io.apisink.progress.ProgressAccumulator
import io.apisink.session.RateKeeper
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.types.StructType
import org.apache.spark.util.SerializableConfiguration

/**
 * Everything that a task needs to know of a run. Serialised to the executors with the tasks.
 *
 * @param opening tells apart the times that the run was opened and gone on with
 * @param directory the run's, in the journal
 * @param plan opaque, read by the native library
 * @param columns schema of the source columns that are sent
 * @param ordinals their positions in the source's rows
 * @param rows schema of the journal's files
 * @param batchRows most rows of an Arrow batch
 * @param batchBytes aimed size of an Arrow batch, in bytes
 * @param rule which answers of earlier task attempts are taken over
 * @param delivered the tracking ids that are left out, if any are
 * @param clustered whether Spark has spread the rows over the run's partitions as required; where it has not there may
 *   be no rows
 * @param keeper who keeps the rate limit
 * @param progress takes the task's numbers while it goes on
 */
private[spark] final class WriteJob(
    val runId: String,
    val opening: String,
    val directory: String,
    val plan: Array[Byte],
    val secrets: SecretBytes,
    val columns: StructType,
    val ordinals: Seq[Int],
    val rows: StructType,
    val batchRows: Int,
    val batchBytes: Long,
    val limits: FlushLimits,
    val rule: ResumeRule,
    val delivered: Option[DeliveredIds],
    val clustered: Boolean,
    val keeper: RateKeeper,
    val progress: ProgressAccumulator,
    val hadoopConf: Broadcast[SerializableConfiguration]
) extends Serializable {
  override def toString: String = s"WriteJob($runId)"
}
