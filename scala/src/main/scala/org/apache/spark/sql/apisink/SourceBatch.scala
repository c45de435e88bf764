package org.apache.spark.sql.apisink

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.types.pojo.Schema
import org.apache.spark.sql.catalyst.{InternalRow, ProjectingInternalRow}
import org.apache.spark.sql.execution.arrow.ArrowWriter
import org.apache.spark.sql.types.StructType

/**
 * Collects source rows into one Arrow batch, over and over in the same buffers.
 *
 * [[root]] may be exported after [[finish]]; its buffers are written again after [[reset]], so nobody may hold them
 * then. Used by the task's thread only.
 *
 * @param schema of the columns that are taken
 * @param ordinals their positions in the source's rows
 * @param maxRows at most so many rows
 * @param maxBytes about so many bytes: the size is looked at often enough for rows of similar size
 * @param allocator must outlive this
 */
final class SourceBatch(
    schema: StructType,
    ordinals: Seq[Int],
    maxRows: Int,
    maxBytes: Long,
    allocator: BufferAllocator
) extends AutoCloseable {

  private val projection = ProjectingInternalRow(schema, ordinals)
  val root: VectorSchemaRoot = VectorSchemaRoot.create(ArrowTypes.toArrow(schema), allocator)
  private val writer = ArrowWriter.create(root)
  private var count = 0
  private var nextLook = 1
  private var large = false

  def arrowSchema: Schema = root.getSchema

  def isEmpty: Boolean = count == 0

  def isFull: Boolean = count >= maxRows || large

  def write(row: InternalRow): Unit = {
    projection.project(row)
    writer.write(projection)
    count += 1
    if (count >= nextLook) look()
  }

  /** Asks for the size, which costs a call per column, and guesses after how many more rows to ask again. */
  private def look(): Unit = {
    val bytes = writer.sizeInBytes()
    large = bytes >= maxBytes
    val average = math.max(1L, bytes / count)
    val left = math.max(0L, maxBytes - bytes) / average
    nextLook = count + math.min(math.max(1L, left / 2), SourceBatch.MaxRowsUnseen).toInt
  }

  /** Completes the root's vectors. */
  def finish(): Unit = writer.finish()

  /** Empties the batch; keeps its buffers. */
  def reset(): Unit = {
    writer.reset()
    count = 0
    nextLook = 1
    large = false
  }

  override def close(): Unit = root.close()
}

private object SourceBatch {
  val MaxRowsUnseen = 128L
}
