package io.apisink.config

import io.apisink.config.secrets.SecretProviders
import org.apache.spark.sql.SparkSession

/**
 * A reference of a config to a value that stands elsewhere: `{{env.KEY}}` or `{{secret.SCOPE:KEY}}`.
 *
 * @param kind `env` or `secret`
 * @param scope of a secret; empty for `env`
 */
final case class Reference(kind: String, scope: String, key: String)

/**
 * Looks references up: `{{env.KEY}}` in the driver's environment, `{{secret.SCOPE:KEY}}` with the providers. Used on the
 * driver only, each time a write is planned (EXPLAIN included): it reads and changes nothing.
 */
final class ReferenceResolver(environment: String => Option[String], providers: SecretProviders) {

  /** The value, or why there is none, in words that end a sentence and hold no secret. */
  def resolve(reference: Reference): Either[String, String] = reference.kind match {
    case "env" =>
      environment(reference.key).toRight(s"the driver's environment has no variable ${reference.key}")
    case _ => providers.resolve(reference.scope, reference.key)
  }
}

object ReferenceResolver {

  /** With the driver's environment, and the providers that a session's settings and class path offer. */
  def of(spark: SparkSession): ReferenceResolver =
    new ReferenceResolver(sys.env.get, SecretProviders.of(spark))
}
