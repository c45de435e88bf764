package io.apisink.config

import java.nio.file.{Files, Path}
import java.util.concurrent.TimeUnit

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

  /** A PKCS#12 store as Java's own tool makes it. */
  private def store(password: String): Path = {
    val file = newDirectory().resolve("client.p12")
    val keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString
    val process = new ProcessBuilder(
      Seq(keytool, "-genkeypair", "-alias", "me", "-keyalg", "EC", "-dname", "CN=me", "-storetype", "PKCS12")
        ++ Seq("-keystore", file.toString, "-storepass", password): _*
    ).inheritIO().start()
    assert(process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0)
    file
  }

  test("a binary file is read as it is, and opened with its password on the driver") {
    val file = store("s3cret-store")
    compile(s"""client_p12_file: "$file", client_p12_password: s3cret-store""")
    val refused =
      intercept[ConfigException](compile(s"""client_p12_file: "$file", client_p12_password: wrong-hunter2"""))
    assert(
      refused.getMessage.contains("transport.tls.client_p12_password: it is not the password"),
      refused.getMessage
    )
    assert(!refused.getMessage.contains("hunter2"), refused.getMessage)
  }

  test("a file that is not there is named, with the place that names it") {
    val refused = intercept[ConfigException](compile("""ca_file: "/nowhere/ca.pem""""))
    assert(refused.getMessage.contains("the file /nowhere/ca.pem has no value: the driver finds no such file"))
    assert(refused.getMessage.contains("configText:"), refused.getMessage)
  }
}
