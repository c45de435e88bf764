package io.apisink.spark

import java.nio.file.Path
import java.util.concurrent.CompletableFuture

import scala.util.Try

import io.apisink.testing.{Eventually, Origin, SparkTest, TestConfig}
import org.apache.spark.sql.Row
import org.apache.spark.sql.functions.{col, concat, lit}

/** Runs whose requests need a token. */
final class AuthSuite extends SparkTest {

  private val client = Seq("--oauth", "clinic:s/e c%r+t")

  private def config(origin: Origin, sink: Path, partitions: Int = 8): TestConfig =
    TestConfig.atPath(origin, sink).copy(
      partitions = partitions,
      urlPath = "/v1/patient",
      execution = Seq("max_in_flight: 20", "max_requests_per_second: 150"),
      auth = Seq(
        "type: oauth2_client_credentials",
        s"""token_url: "${origin.url}/oauth/token"""",
        "client_id: clinic",
        "client_secret: s/e c%r+t"
      )
    )

  private def write(config: TestConfig, count: Long): Unit = spark
    .range(count)
    .select(concat(lit("t-"), col("id")).as("tracking_id"), lit("p").as("patient_id"))
    .write
    .format("apisink")
    .option("configText", config.yaml)
    .option("runId", "r")
    .mode("append")
    .save()

  private def outcomes(sink: Path): Seq[Row] =
    delta(sink).groupBy("outcome").count().collect().toSeq

  /** What a server asks for, and the lines of `auth` with what it asks for and with something else. */
  private def kinds: Seq[(Seq[String], String => Seq[String])] = {
    def oauth2(origin: String, kind: String): Seq[String] =
      Seq(s"type: $kind", s"""token_url: "$origin/oauth/token"""", "client_id: clinic", "client_secret: s/e c%r+t")
    val user = Seq("username: zoe", "password: p&ss")
    val scope = Seq("region: eu-central-1", "service: execute-api")
    Seq(
      Seq("--basic", "zoe:p&ss") -> (_ => "type: basic" +: user),
      Seq("--bearer", "t0ken") -> (_ => Seq("type: bearer", "token: t0ken")),
      Seq("--api-key", "header:X-Key=k3y") -> (_ => Seq("type: api_key", "name: X-Key", "value: k3y")),
      Seq("--api-key", "query:key=k3y") -> (_ => Seq("type: api_key", "in: query", "name: key", "value: k3y")),
      (client ++ Seq("--oauth-user", "zoe:p&ss")) -> (oauth2(_, "oauth2_password") ++ user),
      client -> (oauth2(_, "oauth2_client_credentials")),
      Seq("--sigv4", "AKID:s3cret/key:eu-central-1:execute-api") ->
        (_ => Seq("type: aws_sigv4", "access_key_id: AKID", "secret_access_key: s3cret/key") ++ scope)
    )
  }

  test("each kind opens the API with what it asks for") {
    for ((flags, auth) <- kinds) Origin.using(flags: _*) { origin =>
      val sink = newDirectory().resolve("sink")
      val right = auth(origin.url)
      write(config(origin, sink, partitions = 2).copy(auth = right), 20)
      assert(outcomes(sink) == Seq(Row("success", 20L)), right)
      assert(origin.count("requests") == 20 && origin.count("unauthorized") == 0, right)
    }
  }

  test("without it the run stops, and says so") {
    Origin.using("--sigv4", "AKID:s3cret/key:eu-central-1:execute-api") { origin =>
      val sink = newDirectory().resolve("sink")
      val wrong = Seq("type: aws_sigv4", "access_key_id: AKID", "secret_access_key: another") ++
        Seq("region: eu-central-1", "service: execute-api")
      val failed = intercept[Exception](write(config(origin, sink).copy(auth = wrong), 500))
      val messages =
        Iterator.iterate[Throwable](failed)(_.getCause).takeWhile(_ != null).map(_.getMessage).mkString("\n")
      assert(messages.contains("403") && messages.contains("fail_when"), messages)
    }
  }

  test("tasks that start at once share one token") {
    Origin.using(client ++ Seq("--token-latency", "300ms"): _*) { origin =>
      val sink = newDirectory().resolve("sink")
      write(config(origin, sink), 200)
      assert(outcomes(sink) == Seq(Row("success", 200L)))
      assert(origin.tokens("requests") == 1)
      assert(origin.count("requests") == 200)
    }
  }

  test("tokens that live two seconds, one of them revoked amid the run, fail no row") {
    Origin.using(client ++ Seq("--token-life", "2s", "--no-recording"): _*) { origin =>
      val sink = newDirectory().resolve("sink")
      val job = CompletableFuture.runAsync(() => write(config(origin, sink), 900))
      Eventually.until("requests")(origin.count("requests") > 200)
      origin.revokeTokens()
      job.join()
      assert(outcomes(sink) == Seq(Row("success", 900L)))
      val seconds = origin.report().required("last_arrival_ms").asDouble() / 1000
      val issued = origin.tokens("issued")
      // Each is used for at least 1.6 s, but for the one that was revoked.
      assert(issued >= 3 && issued <= 3 + seconds / 1.6, s"$issued tokens in $seconds s")
    }
  }

  test("a token endpoint that refuses ends the run with one error, and the run goes on when it is well again") {
    Origin.using(client: _*) { origin =>
      val sink = newDirectory().resolve("sink")
      origin.failTokens("1000:400:invalid_scope=unknown-scope")
      val failed = intercept[Exception](write(config(origin, sink), 500))
      val messages =
        Iterator.iterate[Throwable](failed)(_.getCause).takeWhile(_ != null).map(_.getMessage).mkString("\n")
      assert(
        messages.contains(
          s"no token from ${origin.url}/oauth/token: it answered with status 400: invalid_scope: unknown-scope. " +
            "Check auth.scope"
        ),
        messages
      )
      assert(origin.count("requests") == 0)
      assert(origin.tokens("requests") <= 4)
      origin.failTokens("0:400")
      // The failure is remembered for a moment, so that tasks do not ask one after another: some of a try may be refused
      // while others have their token and are stopped with them.
      Eventually.until("the run to go on") {
        noneSends && Try(write(config(origin, sink), 500)).isSuccess
      }
      assert(outcomes(sink) == Seq(Row("success", 500L)))
      assert(origin.count("keys") == 500 && origin.count("keys_answered_2xx_twice") == 0)
    }
  }
}
