package io.apisink.ledger

import java.nio.charset.StandardCharsets.UTF_8
import java.util.UUID

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._
import io.apisink.journal.BronzeSchema
import org.apache.spark.sql.types.{DataType, StructType}

/**
 * What is fixed when a run is opened for the first time.
 *
 * @param transaction under this id and the manifest's number the sink takes a commit, once. Made anew with each ledger,
 *   so that a sink that has seen a pair has seen this ledger's manifest
 * @param partitions Spark tasks; rows are spread over them by `hashVector`'s function
 * @param idColumn the column that tells rows apart; none when their content does
 * @param idType the types of the columns by which rows are spread, as Spark writes them in DDL
 * @param hashVector Spark's hashes of fixed values of these types; another vector means that rows would go elsewhere
 * @param columns the source columns that are sent, with their types, as Spark writes them in DDL
 * @param kept columns of the source and of answers that the sink's rows keep; the journal's files have them too
 * @param sink what the config names as the sink
 * @param created ISO 8601, UTC
 */
final case class OpenRecord(
    runId: String,
    transaction: String,
    planDigest: String,
    requestDigest: String,
    partitions: Int,
    idColumn: Option[String],
    idType: String,
    hashVector: Seq[Int],
    columns: String,
    kept: StructType,
    sink: String,
    created: String,
    sparkVersion: String
) {

  /** Schema of the run's journal files. */
  def rows: StructType = BronzeSchema.keeping(kept)

  /**
   * What keeps a run with this record from being continued as `other`: name of the thing, here, there.
   * A changed rate, retry or timeout does not: only what shapes requests, their spread and their place does.
   */
  def conflicts(other: OpenRecord): Seq[(String, String, String)] = Seq(
    ("the request (method, URL, headers, body mapping)", requestDigest, other.requestDigest),
    ("the id column", idColumn.getOrElse("none"), other.idColumn.getOrElse("none")),
    ("the type of what tells rows apart", idType, other.idType),
    ("Spark's hash function", hashVector.mkString(" "), other.hashVector.mkString(" ")),
    ("the source's columns", columns, other.columns),
    ("the columns that the sink keeps of the source and of answers", kept.toDDL, other.kept.toDDL),
    ("the sink", sink, other.sink)
  ).filter { case (_, here, there) => here != there }

  def toJson: Array[Byte] = {
    val json = Json.newObject()
      .put("format", OpenRecord.Format)
      .put("runId", runId)
      .put("transaction", transaction)
      .put("planDigest", planDigest)
      .put("requestDigest", requestDigest)
      .put("partitions", partitions)
      .put("idColumn", idColumn.orNull)
      .put("idType", idType)
    val hashes = json.putArray("hashVector")
    hashVector.foreach(hashes.add)
    json.put("columns", columns)
    json.set[JsonNode]("kept", Json.parse(kept.json.getBytes(UTF_8)))
    Json.prettyBytes(json.put("sink", sink).put("created", created).put("sparkVersion", sparkVersion))
  }
}

object OpenRecord {

  /** A new id for the sink's transactions. */
  def newTransaction(runId: String): String = s"$runId/${UUID.randomUUID()}"

  /** Version of the ledger's files. A ledger of another version is refused. */
  val Format = 4

  def fromJson(bytes: Array[Byte]): OpenRecord = {
    val json = Json.parse(bytes)
    val format = json.int("format")
    if (format != Format) throw new IllegalArgumentException(s"its format is $format, this version reads $Format")
    OpenRecord(
      json.string("runId"),
      json.string("transaction"),
      json.string("planDigest"),
      json.string("requestDigest"),
      json.int("partitions"),
      json.optionalString("idColumn"),
      json.string("idType"),
      json.items("hashVector").map(_.asInt()),
      json.string("columns"),
      DataType.fromJson(json.need("kept").toString).asInstanceOf[StructType],
      json.string("sink"),
      json.string("created"),
      json.string("sparkVersion")
    )
  }
}
