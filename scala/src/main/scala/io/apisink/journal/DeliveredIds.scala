package io.apisink.journal

import java.io.{ByteArrayOutputStream, DataInputStream, DataOutputStream, EOFException}
import java.nio.charset.StandardCharsets.UTF_8

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/**
 * The tracking ids that a run leaves out because earlier runs have delivered them: fixed when the run is opened, the same
 * in every attempt and in every driver that goes on with it.
 *
 * Files below the run's directory, one for each partition that has such ids; a list of them is created last, and only
 * what it names counts.
 *
 * @param directory where they are
 * @param names of the partitions' files
 */
private[apisink] final class DeliveredIds(directory: String, names: Map[Int, String]) extends Serializable {

  /** Reads a partition's ids, block by block; `take` gets them as the native session's `skip` wants them. */
  def read(partition: Int, conf: Configuration)(take: Array[Byte] => Unit): Unit =
    names.get(partition).foreach { name =>
      val file = new Path(directory, name)
      val in = new DataInputStream(file.getFileSystem(conf).open(file))
      try Iterator.continually(DeliveredIds.block(in)).takeWhile(_.nonEmpty).flatten.foreach(take)
      finally in.close()
    }
}

private[apisink] object DeliveredIds {

  /** Below a run's directory. */
  val Directory = "delivered"

  private val List = "list.json"
  private val BlockBytes = 1024 * 1024

  /** Those that a run has fixed already. */
  def of(run: Path, conf: Configuration): Option[DeliveredIds] = {
    val directory = new Path(run, Directory)
    new Files(conf).read(new Path(directory, List)).map { bytes =>
      val names = Json.parse(bytes).items("files").map(file => file.int("partition") -> file.string("name"))
      new DeliveredIds(directory.toString, names.toMap)
    }
  }

  /** Fixes a run's ids, which [[write]] has written. */
  def fix(run: Path, names: Map[Int, String], conf: Configuration): DeliveredIds = {
    val json = Json.newObject()
    val list = json.putArray("files")
    names.toSeq.sorted.foreach { case (partition, name) =>
      list.addObject().put("partition", partition).put("name", name)
    }
    val files = new Files(conf)
    files.createPrivateDirectory(new Path(run, Directory))
    files.createAtomic(new Path(new Path(run, Directory), List), Json.bytes(json: JsonNode))
    of(run, conf).getOrElse(throw new IllegalStateException(s"$List vanished from $run/$Directory"))
  }

  /**
   * Writes the ids of a partition, on an executor.
   *
   * @param attempt tells the files of task attempts apart
   * @return name of the file; none when there is no id
   */
  def write(run: Path, partition: Int, attempt: Long, ids: Iterator[String], conf: Configuration): Option[String] =
    Option.when(ids.hasNext) {
      val directory = new Path(run, Directory)
      new Files(conf).createPrivateDirectory(directory)
      val name = f"p$partition%05d-a$attempt"
      val file = new Path(directory, name)
      val out = new DataOutputStream(file.getFileSystem(conf).create(file, true))
      try blocks(ids).foreach { block =>
          out.writeInt(block.length)
          out.write(block)
        }
      finally out.close()
      name
    }

  private def blocks(ids: Iterator[String]): Iterator[Array[Byte]] = new Iterator[Array[Byte]] {
    override def hasNext: Boolean = ids.hasNext

    override def next(): Array[Byte] = {
      val bytes = new ByteArrayOutputStream
      val out = new DataOutputStream(bytes)
      while (ids.hasNext && bytes.size() < BlockBytes) {
        val id = ids.next().getBytes(UTF_8)
        out.writeInt(id.length)
        out.write(id)
      }
      bytes.toByteArray
    }
  }

  /** The next block; none at the end. */
  private def block(in: DataInputStream): Option[Array[Byte]] = {
    val length =
      try Some(in.readInt())
      catch {
        case _: EOFException => None
      }
    length.map { length =>
      val bytes = new Array[Byte](length)
      in.readFully(bytes)
      bytes
    }
  }
}
