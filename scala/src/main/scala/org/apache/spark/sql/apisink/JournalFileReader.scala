package org.apache.spark.sql.apisink

import scala.jdk.CollectionConverters._

import io.apisink.SchemaException
import io.apisink.journal.BronzeSchema
import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.ValueVector
import org.apache.arrow.vector.ipc.ArrowFileReader
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnVector, ColumnarBatch}

/**
 * Reads one journal file, batch by batch.
 *
 * The current batch is valid until the next call of [[next]] or `close`. Used by one thread.
 *
 * @param rows schema that the file must have
 * @param allocator must outlive this
 */
final class JournalFileReader(file: Path, rows: StructType, conf: Configuration, allocator: BufferAllocator)
    extends AutoCloseable {

  private val channel = new HadoopSeekableChannel(file, conf)
  private val reader = new ArrowFileReader(channel, allocator)
  private val columns: Array[ColumnVector] =
    try {
      val root = reader.getVectorSchemaRoot
      checkSchema(ArrowTypes.fromArrow(root.getSchema))
      root.getFieldVectors.asScala.map(new LentColumnVector(_): ColumnVector).toArray
    } catch {
      case e: Throwable =>
        close()
        throw e
    }

  /** Loads the next batch that has rows. */
  def next(): Option[ColumnarBatch] = {
    var loaded = reader.loadNextBatch()
    while (loaded && reader.getVectorSchemaRoot.getRowCount == 0) loaded = reader.loadNextBatch()
    Option.when(loaded)(new ColumnarBatch(columns, reader.getVectorSchemaRoot.getRowCount))
  }

  /** Closes file and vectors. */
  override def close(): Unit = reader.close()

  private def checkSchema(found: StructType): Unit =
    if (!DataType.equalsIgnoreNullability(found, rows)) {
      throw new SchemaException(
        "JOURNAL_SCHEMA",
        s"the journal file $file has another schema than this version writes (${BronzeSchema.Version}):" +
          s"\n  found ${found.toDDL}\n  expected ${rows.toDDL}",
        "Finish the run with the version of apisink that began it."
      )
    }
}

/**
 * A vector that stays the reader's. Spark frees a batch when it has read it, but here the next batch is loaded into the
 * same vectors.
 */
private final class LentColumnVector(vector: ValueVector) extends ArrowColumnVector(vector) {
  override def close(): Unit = ()
}
