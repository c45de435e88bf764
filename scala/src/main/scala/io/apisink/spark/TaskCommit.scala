package io.apisink.spark

import io.apisink.Outcomes
import io.apisink.journal.JournalFile
import org.apache.spark.sql.connector.write.WriterCommitMessage

/** What a finished task attempt tells the driver: only files named here reach the sink. */
final case class TaskCommit(partition: Int, files: Seq[JournalFile], outcomes: Outcomes) extends WriterCommitMessage
