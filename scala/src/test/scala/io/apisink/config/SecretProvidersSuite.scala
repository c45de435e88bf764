package io.apisink.config

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}
import java.util.Optional

import scala.jdk.OptionConverters._

import com.databricks.dbutils_v1.StoredSecrets
import io.apisink.ConfigException
import io.apisink.config.secrets._
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.security.alias.CredentialProviderFactory
import org.scalatest.funsuite.AnyFunSuite

final class SecretProvidersSuite extends AnyFunSuite {

  private def settings(values: (String, String)*): SecretSettings = new SecretSettings {
    override def get(name: String): Optional[String] = values.toMap.get(name).toJava
    override def hadoopConf(): Configuration = {
      val conf = new Configuration(false)
      values.foreach { case (name, value) => if (name.startsWith("hadoop.")) conf.set(name, value) }
      conf
    }
  }

  /** The built-in providers, and those of the tests' class path. */
  private def providers(environment: Map[String, String], values: (String, String)*): SecretProviders =
    SecretProviders.of(getClass.getClassLoader, environment.get, settings(values: _*))

  private def directory(files: (String, String)*): Path = {
    val root = Files.createTempDirectory("apisink-secrets")
    files.foreach { case (name, content) =>
      val file = root.resolve(name)
      Files.createDirectories(file.getParent)
      Files.write(file, content.getBytes(UTF_8))
    }
    root
  }

  private def jceks(credentials: (String, String)*): String = {
    val path = s"jceks://file${Files.createTempDirectory("apisink-jceks")}/store.jceks"
    val conf = new Configuration(false)
    conf.set(CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH, path)
    val store = CredentialProviderFactory.getProviders(conf).get(0)
    credentials.foreach { case (alias, value) => store.createCredentialEntry(alias, value.toCharArray) }
    store.flush()
    path
  }

  private def why(answer: Either[String, String]): String =
    answer.swap.getOrElse(fail("a secret was found where none should be"))

  test("Databricks' dbutils answers for scopes that it knows") {
    StoredSecrets.during(("crm", "token") -> "s3cret") {
      assert(providers(Map()).resolve("crm", "token") == Right("s3cret"))
      assert(why(providers(Map()).resolve("crm", "tokne")).contains(
        "databricks: IllegalArgumentException: Secret does not exist with scope: crm and key: tokne"
      ))
    }
  }

  test("away from Databricks the other providers answer") {
    val environment = Map("APISINK_SECRET_CRM__TOKEN" -> "s3cret")
    assert(providers(environment).resolve("crm", "token") == Right("s3cret"))
    val nowhere = new ClassLoader(null) {}
    assert(new DatabricksSecrets(nowhere).find("crm", "token").why() == "this driver does not run on Databricks")
  }

  test("a scope's own Hadoop store has keys as aliases, the shared one scope and key") {
    val own = jceks("token" -> "own")
    val shared = jceks("crm.token" -> "shared", "erp.token" -> "erp's")
    val both = providers(
      Map(),
      "spark.apisink.secrets.hadoop.crm" -> own,
      CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH -> shared
    )
    assert(both.resolve("crm", "token") == Right("own"))
    assert(both.resolve("erp", "token") == Right("erp's"))
    assert(why(both.resolve("erp", "password")).contains(s"hadoop: no alias erp.password in $shared"))
  }

  test("a setting of Hadoop's is never taken for a credential") {
    val clear = providers(
      Map(),
      CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH -> jceks(),
      "hadoop.crm.token" -> "in clear"
    )
    assert(clear.resolve("hadoop.crm", "token").isLeft)
  }

  test("a Hadoop store that cannot be opened ends the search") {
    val broken = directory("store.jceks" -> "no key store").resolve("store.jceks")
    val environment = Map("APISINK_SECRET_CRM__TOKEN" -> "of the environment")
    val message = why(providers(environment, "spark.apisink.secrets.hadoop.crm" -> s"jceks://file$broken")
      .resolve("crm", "token"))
    assert(message.startsWith("the provider hadoop could not be asked: "), message)
    assert(!message.contains("of the environment"))
  }

  test("a variable of the environment needs the prefix and keeps scope and key apart") {
    val environment = Map("CRM_TOKEN" -> "other", "APISINK_SECRET_KV_1__API_KEY" -> "s3cret")
    assert(providers(environment).resolve("kv-1", "api/key") == Right("s3cret"))
    assert(why(providers(environment).resolve("crm", "token")).contains(
      "environment: no variable APISINK_SECRET_CRM__TOKEN"
    ))
    assert(providers(environment).resolve("kv", "1__api_key").isLeft)
  }

  test("mounted files are read by scope and key, or by key from a scope's own directory") {
    val kubernetes = directory("crm/token" -> "s3cret\n")
    val docker = directory("crm_token" -> "docker's\r\n", "two_lines" -> "first\nsecond\n\n")
    val both = providers(
      Map(),
      "spark.apisink.secrets.dir" -> kubernetes.toString,
      "spark.apisink.secrets.dir.docker" -> docker.toString
    )
    assert(both.resolve("crm", "token") == Right("s3cret"))
    assert(both.resolve("docker", "crm_token") == Right("docker's"))
    assert(both.resolve("docker", "two_lines") == Right("first\nsecond\n"), "one line break only is the file's")
    assert(why(both.resolve("crm", "tokne")).contains(s"files: no file $kubernetes/crm/tokne"))
  }

  test("no reference leaves the directory of secrets") {
    val root = directory("secrets/crm/token" -> "s3cret", "outside" -> "not a secret")
    val files = providers(Map(), "spark.apisink.secrets.dir" -> s"$root/secrets")
    assert(files.resolve("crm", "token") == Right("s3cret"))
    assert(files.resolve("..", "outside").isLeft)
    assert(files.resolve("crm", "../../outside").isLeft)
    assert(files.resolve("crm", s"$root/outside").isLeft)
  }

  test("a file that is no text ends the search") {
    val root = Files.createDirectories(Files.createTempDirectory("apisink-secrets").resolve("crm"))
    Files.write(root.resolve("token"), Array[Byte](-1, -2, 65))
    val message = why(providers(Map(), "spark.apisink.secrets.dir" -> root.getParent.toString).resolve("crm", "token"))
    assert(message.endsWith("token is not UTF-8 text"), message)
  }

  test("a provider of the class path is asked first, with the session's settings") {
    val environment = Map("APISINK_SECRET_VAULTED__TOKEN" -> "of the environment")
    assert(providers(
      environment,
      "spark.apisink.vault.token" -> "t"
    ).resolve("vaulted", "token") == Right("token by t"))
    assert(providers(environment).resolve("vaulted", "token") == Right("of the environment"))
  }

  test("a provider that fails is named and no other answers in its place") {
    val environment = Map("APISINK_SECRET_SEALED__TOKEN" -> "of the environment")
    assert(
      why(providers(environment).resolve("sealed", "token")) ==
        "the provider vault could not be asked: IOException: the vault is sealed"
    )
  }

  test("a pinned scope is asked of its provider alone") {
    val environment = Map("APISINK_SECRET_CRM__TOKEN" -> "of the environment")
    val pin = "spark.apisink.secrets.provider.crm"
    assert(providers(environment, pin -> "environment").resolve("crm", "token") == Right("of the environment"))
    assert(
      why(providers(environment, pin -> "files").resolve("crm", "token")) ==
        "no provider has it (files: neither spark.apisink.secrets.dir.crm nor spark.apisink.secrets.dir is set)"
    )
    val refused = intercept[ConfigException](providers(environment, pin -> "enviroment").resolve("crm", "token"))
    assert(refused.hint == "Did you mean 'environment'? There are vault, databricks, hadoop, environment, files.")
  }

  test("a missing secret names every provider that was asked, in their order") {
    val message = why(providers(Map()).resolve("crm", "token"))
    val places = Seq("vault: ", "databricks: ", "hadoop: ", "environment: ", "files: ").map(message.indexOf(_))
    assert(places.forall(_ >= 0) && places == places.sorted, message)
  }

  test("two providers of one name are refused") {
    val refused = intercept[ConfigException](
      new SecretProviders(Seq(new VaultStandIn, new VaultStandIn), settings())
    )
    assert(refused.getMessage.contains("there are 2 secret providers of the name 'vault'"))
  }

  test("an answer does not print its value") {
    assert(SecretAnswer.found("s3cret").toString == "found ***")
  }
}
