package io.apisink.config

/** A provider that a jar on the class path brings: named in META-INF/services of the tests. */
final class VaultStandIn extends SecretProvider {

  private var token: Option[String] = None

  override def name(): String = "vault"

  override def open(settings: SecretSettings): Unit =
    token = Option(settings.get("spark.apisink.vault.token").orElse(null))

  override def find(scope: String, key: String): SecretAnswer = (scope, token) match {
    case ("vaulted", Some(token)) => SecretAnswer.found(s"$key by $token")
    case ("sealed", _) => throw new java.io.IOException("the vault is sealed")
    case _ => SecretAnswer.absent(s"no secret $scope/$key")
  }
}
