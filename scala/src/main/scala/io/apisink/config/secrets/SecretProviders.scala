package io.apisink.config.secrets

import java.util.{Optional, ServiceConfigurationError, ServiceLoader}

import scala.jdk.CollectionConverters._
import scala.jdk.OptionConverters._
import scala.util.control.NonFatal

import io.apisink.{ConfigException, NearestName}
import io.apisink.config.{SecretProvider, SecretSettings}
import org.apache.hadoop.conf.Configuration
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.Sessions

/**
 * The providers in the order in which they are asked; the first that has a secret answers. A scope may be pinned to one
 * provider ([[SecretProviders.PinPrefix]]): then no other is asked.
 */
final class SecretProviders(providers: Seq[SecretProvider], settings: SecretSettings) {

  private val byName = providers.groupBy(_.name)

  byName.find(_._2.size > 1).foreach { case (name, same) =>
    throw SecretProviders.refused(
      s"there are ${same.size} secret providers of the name '$name': ${same.map(_.getClass.getName).mkString(", ")}",
      "Remove all but one of them from the driver's class path."
    )
  }
  providers.foreach(_.open(settings))

  /** The value, or which providers were asked and what each said. */
  def resolve(scope: String, key: String): Either[String, String] =
    search(asked(scope).toList, scope, key, Nil)

  private def asked(scope: String): Seq[SecretProvider] = {
    val setting = SecretProviders.PinPrefix + scope
    settings.get(setting).toScala match {
      case None => providers
      case Some(name) => byName.getOrElse(name, throw unknown(setting, name))
    }
  }

  @scala.annotation.tailrec
  private def search(
      left: List[SecretProvider],
      scope: String,
      key: String,
      absent: List[String]
  ): Either[String, String] = left match {
    case Nil => Left(s"no provider has it (${absent.reverse.mkString("; ")})")
    case provider :: others => ask(provider, scope, key) match {
        case Right(answer) if answer.isFound => Right(answer.value)
        case Right(answer) => search(others, scope, key, s"${provider.name}: ${answer.why}" :: absent)
        case Left(failure) => Left(s"the provider ${provider.name} could not be asked: $failure")
      }
  }

  private def ask(provider: SecretProvider, scope: String, key: String) =
    try Right(provider.find(scope, key))
    catch {
      case NonFatal(e) => Left(Failures.describe(e))
    }

  private def unknown(setting: String, name: String): ConfigException = {
    val names = providers.map(_.name)
    val nearest = NearestName.find(name, names).map(n => s"Did you mean '$n'? ").getOrElse("")
    SecretProviders.refused(
      s"$setting is '$name', but there is no secret provider of that name",
      s"${nearest}There are ${names.mkString(", ")}."
    )
  }
}

object SecretProviders {

  /** Spark setting, followed by a scope: name of the one provider that is asked for that scope. */
  val PinPrefix = "spark.apisink.secrets.provider."

  /** Those that a session's settings and the driver's class path and environment offer. */
  def of(spark: SparkSession): SecretProviders = {
    val conf = Sessions.hadoopConf(spark)
    val settings = new SecretSettings {
      override def get(name: String): Optional[String] = spark.conf.getOption(name).toJava
      override def hadoopConf(): Configuration = conf
    }
    val loader = Option(Thread.currentThread().getContextClassLoader).getOrElse(getClass.getClassLoader)
    of(loader, sys.env.get, settings)
  }

  /** Those of the class path, by name, then the built-in ones: Databricks, Hadoop, environment, files. */
  private[config] def of(
      loader: ClassLoader,
      environment: String => Option[String],
      settings: SecretSettings
  ): SecretProviders = {
    val builtIn =
      Seq(new DatabricksSecrets(loader), new HadoopSecrets, new EnvironmentSecrets(environment), new FileSecrets)
    new SecretProviders(onClassPath(loader) ++ builtIn, settings)
  }

  private def onClassPath(loader: ClassLoader): Seq[SecretProvider] =
    try ServiceLoader.load(classOf[SecretProvider], loader).iterator().asScala.toVector.sortBy(_.name)
    catch {
      case e: ServiceConfigurationError => throw refused(
          s"a secret provider on the driver's class path cannot be made: ${e.getMessage}",
          "Correct or remove the jar with that line in META-INF/services/io.apisink.config.SecretProvider."
        )
    }

  private def refused(what: String, hint: String): ConfigException =
    new ConfigException("SECRET_PROVIDER", what, hint)
}

private[secrets] object Failures {

  /** Class and first line of the message of a foreign exception. */
  def describe(e: Throwable): String = {
    val line = Option(e.getMessage).flatMap(_.linesIterator.nextOption()).getOrElse("without a message")
    s"${e.getClass.getSimpleName}: $line"
  }
}
