package io.apisink.config

import java.nio.charset.StandardCharsets.UTF_8
import java.util.Base64

import io.apisink.config.secrets.SecretProviders
import org.apache.hadoop.conf.Configuration
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.Sessions

/**
 * A reference of a config to a value that stands elsewhere: `{{env.KEY}}`, `{{secret.SCOPE:KEY}}`, or a file that a key
 * names.
 *
 * @param kind `env`, `secret`, `file`, or `binary_file`, whose value is its content in Base64
 * @param scope of a secret; else empty
 * @param key of a secret, name of a variable, or path of a file
 */
final case class Reference(kind: String, scope: String, key: String)

/**
 * Looks references up: `{{env.KEY}}` in the driver's environment, `{{secret.SCOPE:KEY}}` with the providers, files through
 * Hadoop's file systems. Used on the driver only, each time a write is planned (EXPLAIN included): it reads and changes nothing.
 */
final class ReferenceResolver(
    environment: String => Option[String],
    providers: SecretProviders,
    file: String => Either[String, Array[Byte]]
) {

  /** The value, or why there is none, in words that end a sentence and hold no secret. */
  def resolve(reference: Reference): Either[String, String] = reference.kind match {
    case "env" =>
      environment(reference.key).toRight(s"the driver's environment has no variable ${reference.key}")
    case "file" => file(reference.key).map(new String(_, UTF_8))
    case "binary_file" => file(reference.key).map(Base64.getEncoder.encodeToString)
    case _ => providers.resolve(reference.scope, reference.key)
  }
}

object ReferenceResolver {

  /** With the driver's environment, and the providers that a session's settings and class path offer. */
  def of(spark: SparkSession): ReferenceResolver =
    new ReferenceResolver(sys.env.get, SecretProviders.of(spark), read(_, Sessions.hadoopConf(spark)))

  /** Larger than any certificate or key; a mistaken path to a data file must not fill the driver. */
  private val MaxFileBytes = 1024 * 1024

  private def read(path: String, conf: Configuration): Either[String, Array[Byte]] =
    DriverFile.read(path, MaxFileBytes, conf).left.map {
      case DriverFile.Missing => "the driver finds no such file"
      case DriverFile.TooLarge => s"it is larger than $MaxFileBytes bytes"
      case DriverFile.Unreadable(why) => s"the driver cannot read it: $why"
    }
}
