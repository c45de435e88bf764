package io.apisink.spark

import io.apisink.testing.{Oauth2Server, SparkTest, TestConfig}
import org.apache.spark.sql.Row
import org.apache.spark.sql.functions.{col, concat, lit}

/** Tokens of a server that is not ours. Its endpoint `userinfo`, which answers 401 to others than its own, is the API. */
final class ForeignOauth2Suite extends SparkTest {

  private def config(server: Oauth2Server, auth: Seq[String], sink: String): TestConfig = {
    val (base, path) = {
      val url = server.discovered.required("userinfo_endpoint").asText()
      url.splitAt(url.indexOf('/', "http://".length))
    }
    val client = Seq("client_id: clinic", "client_secret: s3cret", "scope: openid rows")
    TestConfig(
      base,
      Seq(s"""path: "$sink""""),
      method = "GET",
      urlPath = path,
      middleware = Seq("retry", "{type: json_response}"),
      auth = s"""token_url: "${server.discovered.required("token_endpoint").asText()}"""" +: (client ++ auth)
    )
  }

  private def subjects(config: TestConfig, sink: String): Seq[Row] = {
    spark.range(40).select(concat(lit("t-"), col("id")).as("tracking_id")).write
      .format("apisink").option("configText", config.yaml).mode("append").save()
    spark.read.format("delta").load(sink)
      .selectExpr("outcome", "status_code", "get_json_object(response_body, '$.sub') AS subject")
      .groupBy("outcome", "status_code", "subject").count().collect().toSeq
  }

  test("tokens of another's server, by either grant, are fetched at the endpoint that it names, and taken by it") {
    Oauth2Server.using { server =>
      val user = Seq("type: oauth2_password", "username: zoe", "password: p&ss w/rd")
      for {
        (auth, subject) <- Seq(
          Seq("type: oauth2_client_credentials") -> "clinic",
          Seq("type: oauth2_client_credentials", "client_auth: body") -> "clinic",
          user -> "zoe"
        )
      } {
        val sink = newDirectory().resolve("sink").toString
        val found = subjects(config(server, auth, sink), sink)
        assert(found == Seq(Row("success", 200, subject, 40L)), auth)
      }
    }
  }
}
