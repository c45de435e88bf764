package io.apisink.spark

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.write.{DataWriter, DataWriterFactory, WriterCommitMessage}

private[spark] final class SendingWriterFactory(job: WriteJob) extends DataWriterFactory {

  override def createWriter(partition: Int, taskId: Long): DataWriter[InternalRow] =
    new SendingWriter(job, partition, taskId)
}

/** For a run that is done already: rows are neither read nor sent. */
private[spark] object IdleWriterFactory extends DataWriterFactory {

  override def createWriter(partition: Int, taskId: Long): DataWriter[InternalRow] = IdleWriter
}

private[spark] case object IdleCommit extends WriterCommitMessage

private[spark] object IdleWriter extends DataWriter[InternalRow] {
  override def write(row: InternalRow): Unit = ()
  override def writeAll(rows: java.util.Iterator[InternalRow]): Unit = ()
  override def commit(): WriterCommitMessage = IdleCommit
  override def abort(): Unit = ()
  override def close(): Unit = ()
}
