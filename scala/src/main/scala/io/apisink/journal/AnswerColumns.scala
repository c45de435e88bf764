package io.apisink.journal

import org.apache.spark.sql.vectorized.{ColumnVector, ColumnarBatch}
import org.apache.spark.unsafe.types.UTF8String

/** The columns of a journal batch that tell whose answer a row is, and whether it is one. Valid as long as the batch. */
final class AnswerColumns(batch: ColumnarBatch) {

  private val requestIds = column("request_id")
  private val outcomes = column("outcome")
  private val statuses = column("status_code")
  private val attemptCounts = column("attempts")
  private val digests = column("request_digest")

  /** Points into the batch: copy what is kept. */
  def requestId(row: Int): UTF8String = requestIds.getUTF8String(row)

  def outcome(row: Int): String = outcomes.getUTF8String(row).toString

  def attempts(row: Int): Int = attemptCounts.getInt(row)

  /** Null for a row that was not sent. */
  def digest(row: Int): String = if (digests.isNullAt(row)) null else digests.getUTF8String(row).toString

  def isAnswer(row: Int, rule: ResumeRule): Boolean =
    rule.isAnswer(outcome(row), Option.unless(statuses.isNullAt(row))(statuses.getInt(row)))

  private def column(name: String): ColumnVector = batch.column(BronzeSchema.schema.fieldIndex(name))
}
