package io.apisink.spark

import io.apisink.Outcomes
import io.apisink.journal.JournalFile
import io.apisink.metrics.Latencies
import org.apache.spark.sql.connector.write.WriterCommitMessage

/**
 * What a finished task attempt tells the driver: only files named here reach the sink.
 *
 * @param files those of earlier attempts that this one relies on, then its own
 * @param outcomes of all rows in them that count
 * @param latencies of the attempts that this task attempt made
 * @param damaged files of earlier attempts that could not be used, each with the reason
 */
final case class TaskCommit(
    partition: Int,
    files: Seq[JournalFile],
    outcomes: Outcomes,
    damaged: Seq[String],
    latencies: Latencies = Latencies.none
) extends WriterCommitMessage
