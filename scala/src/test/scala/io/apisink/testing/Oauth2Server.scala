package io.apisink.testing

import java.io.File
import java.net.{InetAddress, ServerSocket, URI}
import java.net.http.{HttpClient, HttpRequest, HttpResponse}
import java.util.concurrent.TimeUnit

import scala.util.Try

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json

/**
 * An OAuth 2.0 server that is not ours, mock-oauth2-server: it takes any client and user, and signs tokens that it knows
 * again. A process of its own, for its libraries are not Spark's.
 *
 * @param issuer what its endpoints are below
 */
final class Oauth2Server private (process: Process, issuer: String) {

  private val client = HttpClient.newHttpClient()

  /** What the server says of itself (OpenID Connect Discovery): `token_endpoint`, `userinfo_endpoint`. */
  lazy val discovered: JsonNode = {
    Eventually.until("the OAuth 2.0 server to answer")(ask().nonEmpty)
    ask().getOrElse(sys.error("the OAuth 2.0 server has ended"))
  }

  private def ask(): Option[JsonNode] = {
    val request = HttpRequest.newBuilder(URI.create(s"$issuer/.well-known/openid-configuration")).build()
    Try(client.send(request, HttpResponse.BodyHandlers.ofByteArray())).toOption
      .filter(_.statusCode() == 200)
      .map(answer => Json.parse(answer.body()))
  }

  private def close(): Unit = {
    process.destroy()
    if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly()
  }
}

object Oauth2Server {

  /** Its class path. */
  private val Jars = "apisink.oauth2.server"

  def using[T](body: Oauth2Server => T): T = {
    val jars = Option(System.getProperty(Jars)).getOrElse(sys.error(s"-D$Jars is the server's class path; sbt sets it"))
    val port = freePort()
    val java = Seq(System.getProperty("java.home"), "bin", "java").mkString(File.separator)
    val main = "no.nav.security.mock.oauth2.StandaloneMockOAuth2ServerKt"
    val builder = new ProcessBuilder(java, "-Xmx128m", "-cp", jars, main)
      .redirectOutput(ProcessBuilder.Redirect.DISCARD)
      .redirectError(ProcessBuilder.Redirect.DISCARD)
    builder.environment().put("SERVER_HOSTNAME", "127.0.0.1")
    builder.environment().put("SERVER_PORT", port.toString)
    val process = builder.start()
    val hook = sys.addShutdownHook(process.destroy())
    val server = new Oauth2Server(process, s"http://127.0.0.1:$port/clinic")
    try body(server)
    finally {
      server.close()
      hook.remove()
    }
  }

  /** The server wants to be told one. */
  private def freePort(): Int = {
    val socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress)
    try socket.getLocalPort
    finally socket.close()
  }
}
