package io.apisink.ledger

import io.apisink.{Json, Outcomes}
import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json._
import io.apisink.journal.{JournalFile, ResumeRule}

/**
 * The files of one partition, in the order in which they are read: those of earlier task attempts, then those of the
 * one that ended it. The first answer to a request wins.
 */
final case class PartitionFiles(partition: Int, files: Seq[JournalFile])

/**
 * The exact list of journal files that one commit to the sink takes.
 *
 * @param number `txnVersion` of the commit; 0 for the first
 * @param rule what of earlier attempts' files counts
 * @param outcomes of exactly the rows that the commit adds
 */
final case class Manifest(number: Int, partitions: Seq[PartitionFiles], rule: ResumeRule, outcomes: Outcomes) {

  def rows: Long = partitions.iterator.flatMap(_.files).map(_.rows).sum

  def bytes: Long = partitions.iterator.flatMap(_.files).map(_.bytes).sum

  def toJson: Array[Byte] = {
    val json = Json.newObject().put("format", OpenRecord.Format).put("number", number)
    json.set[JsonNode]("outcomes", outcomes.toJson)
    val resend = json.putArray("resend")
    rule.resend.foreach(resend.add)
    val array = json.putArray("partitions")
    partitions.foreach { partition =>
      val files = array.addObject().put("partition", partition.partition).putArray("files")
      partition.files.foreach(file => files.add(file.toJson))
    }
    Json.bytes(json)
  }
}

object Manifest {

  def fromJson(bytes: Array[Byte]): Manifest = {
    val json = Json.parse(bytes)
    Manifest(
      json.int("number"),
      json.items("partitions").map { partition =>
        PartitionFiles(partition.int("partition"), partition.items("files").map(JournalFile.fromJson))
      },
      ResumeRule(json.strings("resend")),
      Outcomes.fromJson(json.need("outcomes"))
    )
  }
}
