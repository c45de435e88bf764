package io.apisink.config

/**
 * A reference of a config to a value that stands elsewhere: `{{env.KEY}}` or `{{secret.SCOPE:KEY}}`.
 *
 * @param kind `env` or `secret`
 * @param scope of a secret; empty for `env`
 */
final case class SecretReference(kind: String, scope: String, key: String)

/** Looks references up. Called on the driver only, each time a write is planned (EXPLAIN included): read, never change. */
trait SecretResolver {

  /** The value, or why there is none, in words that end a sentence and hold no secret. None: not mine, ask the next. */
  def resolve(reference: SecretReference): Option[Either[String, String]]
}

/** `{{env.KEY}}`: the driver's environment. */
final class EnvironmentResolver(environment: String => Option[String]) extends SecretResolver {

  override def resolve(reference: SecretReference): Option[Either[String, String]] =
    Option.when(reference.kind == "env") {
      environment(reference.key).toRight(s"the driver's environment has no variable ${reference.key}")
    }
}

/** Asks resolvers in order; the first that knows a reference's kind and scope answers. */
final class SecretResolvers(resolvers: Seq[SecretResolver]) {

  def resolve(reference: SecretReference): Either[String, String] =
    resolvers.iterator.flatMap(_.resolve(reference)).nextOption().getOrElse {
      Left(s"no provider for scope ${reference.scope}")
    }
}

object SecretResolvers {

  /** What this version can look up. */
  def default: SecretResolvers = new SecretResolvers(Seq(new EnvironmentResolver(sys.env.get)))
}
