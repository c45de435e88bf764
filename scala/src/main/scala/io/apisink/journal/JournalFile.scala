package io.apisink.journal

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._

/**
 * A finished journal file: an Arrow IPC file of response rows, immutable.
 *
 * Its name ends with the CRC-32C of its content, so that whoever finds it can tell whether it is whole.
 *
 * @param path relative to the run's directory: `p00003/a17.5f0c9a1e-00000.8a9136aa.arrow`
 * @param bytes length of the file
 * @param earlier whether another task attempt wrote it than the one that names it now: then only its rows that
 *   [[ResumeRule]] calls answers count
 */
final case class JournalFile(path: String, rows: Long, bytes: Long, earlier: Boolean = false) {

  /** The part of the name that all files of one task attempt share. */
  def attempt: String = path.substring(0, path.lastIndexOf('-'))

  def toJson: JsonNode =
    Json.newObject().put("path", path).put("rows", rows).put("bytes", bytes).put("earlier", earlier)
}

object JournalFile {

  private val Name = "a\\d+\\.[0-9a-f]+-\\d{5,}\\.([0-9a-f]{8})\\.arrow".r

  def fromJson(node: JsonNode): JournalFile =
    JournalFile(node.string("path"), node.long("rows"), node.long("bytes"), node.need("earlier").asBoolean())

  /** Name of a partition's directory within the run's. */
  def partitionDirectory(partition: Int): String = f"p$partition%05d"

  /** Whether a name in the run's directory is that of a partition's directory. */
  def isPartitionDirectory(name: String): Boolean = name.matches("p\\d{5,}")

  /** What the names of a task attempt's file begin with; `attempt` as [[JournalWriter.attemptLabel]] makes it. */
  def stem(attempt: String, sequence: Int): String = f"$attempt-$sequence%05d"

  /** The name of a finished file. */
  def name(stem: String, checksum: Long): String = f"$stem.$checksum%08x.arrow"

  /** Whether a name in a partition's directory is that of a finished file. */
  def isFinished(name: String): Boolean = checksum(name).isDefined

  /** The CRC-32C that a name promises. */
  def checksum(name: String): Option[Long] = name match {
    case Name(hex) => Some(java.lang.Long.parseLong(hex, 16))
    case _ => None
  }
}
