package io.apisink.session

import java.nio.charset.StandardCharsets.UTF_8

import io.apisink.Json
import io.apisink.config.{NativeLibrarySetting, SecretBytes}
import io.apisink.jni.{Native, NativeLibrary}
import io.apisink.metrics.SessionStats
import org.apache.arrow.c.{ArrowArray, ArrowSchema, Data}
import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.types.pojo.Schema

/**
 * The sending side of one Spark task: native sessions with Arrow batches instead of addresses.
 *
 * Ownership: a batch that is submitted stays the caller's, who may reuse its buffers when `submit` has returned.
 * [[responses]] belongs to the session; its content is valid until the next call of [[takeResponses]], [[clearResponses]]
 * or `close`.
 *
 * Used by the task's thread only. No method blocks for longer than it says.
 */
private[apisink] final class NativeSession private (handle: Long, allocator: BufferAllocator) extends AutoCloseable {

  private var root: VectorSchemaRoot = _
  private var closed = false

  /** Takes in answers that are in the journal already, as [[AnswerRecords]] encodes them; before the first batch. */
  def resume(answers: Array[Byte]): Unit = Native.resume(handle, answers)

  /** Leaves rows of these tracking ids out, as [[io.apisink.journal.DeliveredIds]] encodes them; before the first batch. */
  def skip(trackingIds: Array[Byte]): Unit = Native.skip(handle, trackingIds)

  /** Waits at most so many milliseconds for something to do; the bits of [[Native]]. */
  def await(timeoutMillis: Long, finishing: Boolean): Int = Native.await(handle, timeoutMillis, finishing)

  /** Hands the rows of a batch over. Only after `await` has answered READY_FOR_ROWS. */
  def submit(batch: VectorSchemaRoot): Unit = {
    val array = ArrowArray.allocateNew(allocator)
    try {
      Data.exportVectorSchemaRoot(allocator, batch, null, array)
      Native.submit(handle, array.memoryAddress())
    } finally {
      // Nothing is left in the struct after a submit that took the batch over.
      array.release()
      array.close()
    }
  }

  /** Says that no more rows will come. */
  def finish(): Unit = Native.finish(handle)

  /**
   * Loads one batch of responses into [[responses]].
   *
   * @return its rows; 0 when there was none
   */
  def takeResponses(maxRows: Int): Int = {
    clearResponses()
    val array = ArrowArray.allocateNew(allocator)
    val schema = ArrowSchema.allocateNew(allocator)
    try {
      val rows = Native.takeResponses(handle, array.memoryAddress(), schema.memoryAddress(), maxRows)
      if (rows > 0) {
        if (root == null) {
          root = VectorSchemaRoot.create(Data.importSchema(allocator, schema, null, false), allocator)
        }
        Data.importIntoVectorSchemaRoot(allocator, array, root, null, false)
      }
      rows
    } finally {
      schema.release()
      schema.close()
      array.release()
      array.close()
    }
  }

  /** The last batch taken; null before the first one. Always the same object. */
  def responses: VectorSchemaRoot = root

  /** Gives the memory of the last batch back. */
  def clearResponses(): Unit = if (root != null) root.clear()

  /** The log lines since the last call, for [[NativeLog]]. */
  def takeLogs(): Seq[String] = Native.takeLogs(handle).toSeq.map(new String(_, UTF_8))

  def stats(): SessionStats = SessionStats.fromJson(Json.parse(Native.sessionStats(handle)))

  /**
   * Lets no further request be written, and waits for the answers of those that have been, at most so many milliseconds.
   * What is completed is to be taken between two calls.
   *
   * @return whether there are none left to wait for
   */
  def drain(timeoutMillis: Long): Boolean = closed || Native.drainSession(handle, timeoutMillis)

  /** Stops sending and drops what is in flight; what is completed can still be taken. Returns at once. */
  def stop(): Unit = if (!closed) Native.stopSession(handle)

  /** Aborts what is in flight; returns at once. May be called again. */
  override def close(): Unit =
    if (!closed) {
      closed = true
      try Native.closeSession(handle)
      finally if (root != null) root.close()
    }
}

private[apisink] object NativeSession {

  /**
   * Opens a session.
   *
   * @param schema of the batches to come
   * @param allocator must outlive the session
   */
  def open(
      plan: Array[Byte],
      secrets: SecretBytes,
      task: TaskIdentity,
      schema: Schema,
      allocator: BufferAllocator
  ): NativeSession = {
    NativeLibrary.load(NativeLibrarySetting.current)
    val exported = ArrowSchema.allocateNew(allocator)
    try {
      Data.exportSchema(allocator, schema, null, exported)
      val handle = Native.openSession(plan, secrets.expose, task.toJson, exported.memoryAddress())
      new NativeSession(handle, allocator)
    } finally {
      exported.release()
      exported.close()
    }
  }
}
