package io.apisink.config

import java.nio.file.Files

import io.apisink.ConfigException
import io.apisink.testing.{SparkTest, TestConfig}

/** What the driver looks up for a config: here the files that keys name. */
final class ReferenceResolverSuite extends SparkTest {

  private def compile(tls: String): CompiledConfig = {
    val config = TestConfig("https://api.example.com", Seq(s"""path: "${newDirectory()}""""))
      .copy(urlPath = "/v1", transport = Seq(s"tls: {$tls}"))
    new ConfigCompiler(ReferenceResolver.of(spark)).compile(
      ConfigSource.inline(config.yaml),
      Purpose(Some(Seq("tracking_id")), dataFrame = Some(true), dryRun = false)
    )
  }

  test("a file that a key names is read on the driver, and what it holds is checked there") {
    val file = Files.writeString(newDirectory().resolve("ca.pem"), "not a certificate")
    val refused = intercept[ConfigException](compile(s"""ca_file: "$file""""))
    assert(
      refused.getMessage.contains("transport.tls.ca_file: it holds no certificate in PEM form"),
      refused.getMessage
    )
  }

  test("a file that is not there is named, with the place that names it") {
    val refused = intercept[ConfigException](compile("""ca_file: "/nowhere/ca.pem""""))
    assert(refused.getMessage.contains("the file /nowhere/ca.pem has no value: the driver finds no such file"))
    assert(refused.getMessage.contains("configText:"), refused.getMessage)
  }
}
