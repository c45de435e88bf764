package org.apache.spark.sql.apisink

import java.nio.ByteBuffer
import java.nio.channels.{NonWritableChannelException, SeekableByteChannel}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/** A file of a Hadoop file system as the channel that Arrow's file reader wants. Read-only; used by one thread. */
final class HadoopSeekableChannel(file: Path, conf: Configuration) extends SeekableByteChannel {

  private val fs = file.getFileSystem(conf)
  private val length = fs.getFileStatus(file).getLen
  private val in = fs.open(file)
  private lazy val copy = new Array[Byte](HadoopSeekableChannel.CopyBytes)
  private var openNow = true

  // Not every stream of Hadoop reads into byte buffers: bytes go through an array.
  override def read(target: ByteBuffer): Int =
    if (!target.hasRemaining) 0
    else if (target.hasArray) {
      val read = in.read(target.array(), target.arrayOffset() + target.position(), target.remaining())
      if (read > 0) target.position(target.position() + read)
      read
    } else {
      val read = in.read(copy, 0, math.min(copy.length, target.remaining()))
      if (read > 0) target.put(copy, 0, read)
      read
    }

  override def position(): Long = in.getPos

  override def position(position: Long): SeekableByteChannel = {
    in.seek(position)
    this
  }

  override def size(): Long = length

  override def write(source: ByteBuffer): Int = throw new NonWritableChannelException

  override def truncate(size: Long): SeekableByteChannel = throw new NonWritableChannelException

  override def isOpen: Boolean = openNow

  override def close(): Unit =
    if (openNow) {
      openNow = false
      in.close()
    }
}

private object HadoopSeekableChannel {
  val CopyBytes: Int = 64 * 1024
}
