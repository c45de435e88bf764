package io.apisink

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import com.fasterxml.jackson.databind.node.{ArrayNode, ObjectNode}

import scala.jdk.CollectionConverters._

/** JSON trees, with the Jackson that Spark has. Records are small: no binding to classes. */
private[apisink] object Json {

  private val mapper = new ObjectMapper()

  def newObject(): ObjectNode = mapper.createObjectNode()

  def newArray(): ArrayNode = mapper.createArrayNode()

  def parse(bytes: Array[Byte]): JsonNode = mapper.readTree(bytes)

  def bytes(node: JsonNode): Array[Byte] = mapper.writeValueAsBytes(node)

  def prettyBytes(node: JsonNode): Array[Byte] =
    mapper.writerWithDefaultPrettyPrinter().writeValueAsBytes(node)

  /** Fields that must be there, and some that may be missing or null. A missing one is an `IllegalArgumentException`. */
  implicit final class Fields(private val node: JsonNode) extends AnyVal {

    def need(name: String): JsonNode =
      find(name).getOrElse(throw new IllegalArgumentException(s"the JSON has no field '$name'"))

    def find(name: String): Option[JsonNode] = Option(node.get(name)).filterNot(_.isNull)

    def string(name: String): String = need(name).asText()

    def int(name: String): Int = need(name).asInt()

    def long(name: String): Long = need(name).asLong()

    def optionalString(name: String): Option[String] = find(name).map(_.asText())

    def items(name: String): Seq[JsonNode] = need(name).elements().asScala.toVector

    def strings(name: String): Seq[String] = items(name).map(_.asText())
  }
}
