package io.apisink.journal

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._

/**
 * A finished journal file: an Arrow IPC file of response rows, immutable.
 *
 * @param path relative to the run's directory: `p00003/a17.5f0c9a1e-00000.arrow`
 * @param bytes length of the file
 */
final case class JournalFile(path: String, rows: Long, bytes: Long) {

  /** The part of the name that all files of one task attempt share. */
  def attempt: String = path.substring(0, path.lastIndexOf('-'))

  def toJson: JsonNode = Json.newObject().put("path", path).put("rows", rows).put("bytes", bytes)
}

object JournalFile {

  def fromJson(node: JsonNode): JournalFile = JournalFile(node.string("path"), node.long("rows"), node.long("bytes"))

  /** Name of a partition's directory within the run's. */
  def partitionDirectory(partition: Int): String = f"p$partition%05d"

  /** Whether a name in the run's directory is that of a partition's directory. */
  def isPartitionDirectory(name: String): Boolean = name.matches("p\\d{5,}")

  /** Name of a task attempt's file; `attempt` as [[JournalWriter.attemptLabel]] makes it. */
  def name(attempt: String, sequence: Int): String = f"$attempt-$sequence%05d.arrow"
}
