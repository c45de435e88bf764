package io.apisink.config

import io.apisink.Json
import io.apisink.Json._
import io.apisink.jni.{Native, NativeLibrary}
import org.apache.spark.SparkEnv

/**
 * A config after validation and compilation.
 *
 * @param plan opaque to Scala, read by the native library on the executors
 * @param secrets travel apart from the plan
 */
final class CompiledConfig(val plan: Array[Byte], val secrets: SecretBytes, val driver: DriverPlan) {
  override def toString: String = s"CompiledConfig(${driver.planDigest})"
}

/**
 * What the config is compiled for.
 *
 * @param columns names of the source's columns, in order; none when they are not known
 * @param dataFrame whether the caller hands the rows over; else `tables.source` must name them. None when that is not
 *   decided yet
 * @param dryRun whether requests are rendered and not sent
 */
final case class Purpose(columns: Option[Seq[String]], dataFrame: Option[Boolean], dryRun: Boolean)

/** Config text to plan, through the native library. Reads the environment and secret stores, changes nothing. */
final class ConfigCompiler(resolver: ReferenceResolver) {

  /** @throws io.apisink.ConfigException with all problems of the text, each with its place */
  def compile(source: ConfigSource, purpose: Purpose): CompiledConfig = {
    NativeLibrary.load(NativeLibrarySetting.current)
    val overrides = source.overridesJson
    val inputs = Json.newObject().put("dryRun", purpose.dryRun)
    purpose.dataFrame.foreach(inputs.put("dataFrame", _))
    val answers = inputs.putArray("references")
    Json.parse(Native.configReferences(source.text, source.name, overrides)).elements().forEachRemaining { node =>
      val reference = Reference(node.string("kind"), node.optionalString("scope").getOrElse(""), node.string("key"))
      val answer = answers.addObject()
        .put("kind", reference.kind)
        .put("scope", reference.scope)
        .put("key", reference.key)
      resolver.resolve(reference) match {
        case Right(value) => answer.put("value", value)
        case Left(error) => answer.put("error", error)
      }
      ()
    }
    purpose.columns.foreach { columns =>
      val names = inputs.putArray("columns")
      columns.foreach(names.add)
    }
    val compiled = Native.compileConfig(source.text, source.name, overrides, Json.bytes(inputs))
    new CompiledConfig(compiled(0), new SecretBytes(compiled(1)), DriverPlan.fromJson(compiled(2)))
  }
}

/** The Spark setting with the path of another native library, on the driver and on executors. */
private[apisink] object NativeLibrarySetting {

  /** Null when it is not set. */
  def current: String =
    Option(SparkEnv.get).flatMap(_.conf.getOption(NativeLibrary.OVERRIDE)).orNull
}
