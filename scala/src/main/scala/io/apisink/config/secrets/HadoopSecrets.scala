package io.apisink.config.secrets

import scala.jdk.CollectionConverters._
import scala.jdk.OptionConverters._

import io.apisink.config.{SecretAnswer, SecretProvider, SecretSettings}
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.security.alias.CredentialProviderFactory

/**
 * Hadoop's credential providers (JCEKS files and others; `hadoop credential create`).
 *
 * The setting `spark.apisink.secrets.hadoop.SCOPE` is a provider path of that scope's own, in which the key is the
 * alias. Else the stores of `hadoop.security.credential.provider.path` are asked for the alias `SCOPE.KEY`.
 */
private[config] final class HadoopSecrets extends SecretProvider {

  private var settings: SecretSettings = _

  override def name: String = "hadoop"

  override def open(settings: SecretSettings): Unit = this.settings = settings

  override def find(scope: String, key: String): SecretAnswer = {
    val conf = settings.hadoopConf()
    val setting = HadoopSecrets.PathPrefix + scope
    val own = settings.get(setting).toScala.map(_ -> key)
    def shared = Option(conf.get(CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH)).map(_ -> s"$scope.$key")
    own.orElse(shared) match {
      case None =>
        SecretAnswer.absent(s"neither $setting nor ${CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH} is set")
      case Some((path, alias)) =>
        credential(path, alias, conf).fold(SecretAnswer.absent(s"no alias $alias in $path"))(SecretAnswer.found)
    }
  }

  // Not Configuration.getPassword, which also takes a setting in clear text for a credential.
  private def credential(path: String, alias: String, conf: Configuration): Option[String] = {
    val only = new Configuration(conf)
    only.set(CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH, path)
    CredentialProviderFactory.getProviders(only).asScala.iterator
      .flatMap(provider => Option(provider.getCredentialEntry(alias)))
      .map(entry => new String(entry.getCredential))
      .nextOption()
  }
}

private object HadoopSecrets {
  val PathPrefix = "spark.apisink.secrets.hadoop."
}
