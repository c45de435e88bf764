package io.apisink.spark

import io.apisink.ConfigException
import io.apisink.config.SecretBytes
import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

final class EncryptionSuite extends AnyFunSuite {

  private def conf(settings: (String, String)*): SparkConf = new SparkConf(false).setAll(settings)

  test("credentials that travel in clear text are warned of, and refused where encryption is required") {
    assert(Preflight.encryption(conf(), hasSecrets = true).exists(_.contains("spark.network.crypto.enabled=true")))
    val refused = intercept[ConfigException](
      Preflight.encryption(conf(Preflight.RequireEncryption -> "true"), hasSecrets = true)
    )
    assert(refused.code == "ENCRYPTION")
  }

  test("an encrypted RPC, or a config without credentials, is fine") {
    val required = Preflight.RequireEncryption -> "true"
    assert(Preflight.encryption(conf(required), hasSecrets = false).isEmpty)
    Seq("spark.network.crypto.enabled", "spark.ssl.rpc.enabled").foreach { encrypted =>
      assert(Preflight.encryption(conf(required, encrypted -> "true"), hasSecrets = true).isEmpty)
    }
  }

  test("a config without credentials has none to send") {
    assert(new SecretBytes("[]".getBytes).isEmpty)
    assert(!new SecretBytes("[\"s3cret\"]".getBytes).isEmpty)
  }
}
