package io.apisink.config.secrets

import java.util.Locale

import io.apisink.config.{SecretAnswer, SecretProvider}

/**
 * Variables of the driver's environment: `APISINK_SECRET_<SCOPE>__<KEY>`, in upper case and with an underscore for every
 * other character than ASCII letters and digits. The prefix keeps a scope from reaching a variable that means something else.
 */
private[config] final class EnvironmentSecrets(environment: String => Option[String]) extends SecretProvider {

  override def name: String = "environment"

  override def find(scope: String, key: String): SecretAnswer = {
    val variable = s"APISINK_SECRET_${EnvironmentSecrets.upper(scope)}__${EnvironmentSecrets.upper(key)}"
    environment(variable).fold(SecretAnswer.absent(s"no variable $variable"))(SecretAnswer.found)
  }
}

private object EnvironmentSecrets {
  def upper(name: String): String = name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_")
}
