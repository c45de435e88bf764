package io.apisink.testing

import java.io.{BufferedReader, InputStreamReader}
import java.net.URI
import java.net.http.{HttpClient, HttpRequest, HttpResponse}
import java.util.concurrent.TimeUnit

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json

/**
 * A running API server, told by flags how to behave; see `apisink-origin --help`. It ends with this process, whatever
 * becomes of it.
 */
final class Origin private (process: Process, val url: String) extends AutoCloseable {

  private val client = HttpClient.newHttpClient()

  /** What the server saw, in numbers: `requests`, `connections`, `keys_twice`, … */
  def report(): JsonNode = get("/_origin/report").head

  def count(field: String): Long = report().required(field).asLong()

  /** One entry for each Idempotency-Key: `key`, `requests`, `statuses`. */
  def keys(): Seq[JsonNode] = get("/_origin/keys")

  /** The latest requests as they came. */
  def requests(limit: Int = 1000): Seq[JsonNode] =
    get(s"/_origin/requests?limit=$limit").flatMap { node =>
      if (node.isArray) node.elements().asScala.toSeq else Seq(node)
    }

  /** What the token endpoint saw: `requests`, `issued`, `refreshed`, `refused`. */
  def tokens(field: String): Long = report().required("tokens").required(field).asLong()

  /** Makes all tokens invalid that were issued. */
  def revokeTokens(): Unit = post("/_origin/revoke")

  /** Refuses token requests from now on, as `--token-fail` does. */
  def failTokens(rule: String): Unit = post(s"/_origin/token-fail?$rule")

  override def close(): Unit = {
    process.destroy()
    if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly()
  }

  private def post(path: String): Unit = {
    val request = HttpRequest.newBuilder(URI.create(url + path)).POST(HttpRequest.BodyPublishers.noBody()).build()
    val answer = client.send(request, HttpResponse.BodyHandlers.ofString())
    require(answer.statusCode() == 204, s"$path: ${answer.statusCode()} ${answer.body()}")
  }

  /** The lines of an answer, each a JSON document. */
  private def get(path: String): Seq[JsonNode] = {
    val request = HttpRequest.newBuilder(URI.create(url + path)).build()
    val answer = client.send(request, HttpResponse.BodyHandlers.ofString())
    require(answer.statusCode() == 200, s"$path: ${answer.statusCode()} ${answer.body()}")
    answer.body().linesIterator.filter(_.nonEmpty).map(line => Json.parse(line.getBytes("UTF-8"))).toSeq
  }
}

object Origin {

  private val Program = "apisink.origin"

  def start(flags: String*): Origin = {
    val program =
      Option(System.getProperty(Program)).getOrElse(sys.error(s"-D$Program names the API server; sbt sets it"))
    val process = new ProcessBuilder((Seq(program, "--exit-with-stdin") ++ flags).asJava)
      .redirectError(ProcessBuilder.Redirect.INHERIT)
      .start()
    val line = new BufferedReader(new InputStreamReader(process.getInputStream)).readLine()
    val url = Option(
      line
    ).flatMap(_.split(' ').lastOption).getOrElse(sys.error(s"$program ${flags.mkString(" ")} ended at once"))
    new Origin(process, url.stripSuffix("/"))
  }

  def using[T](flags: String*)(body: Origin => T): T = {
    val origin = start(flags: _*)
    try body(origin)
    finally origin.close()
  }
}
