package io.apisink.config

import java.nio.charset.StandardCharsets.UTF_8

import io.apisink.{ConfigException, Json}
import org.apache.hadoop.conf.Configuration

/**
 * The text of a config and where it came from.
 *
 * @param name what messages call it: the path as it was given, or `configText`
 * @param overrides keys with their sections, such as `execution.partitions`, and the values that count instead of the
 *   text's
 */
final class ConfigSource(val text: Array[Byte], val name: String, val overrides: Seq[(String, String)] = Nil) {

  def withOverrides(more: Seq[(String, String)]): ConfigSource = new ConfigSource(text, name, overrides ++ more)

  /** For the native library. */
  private[config] def overridesJson: Array[Byte] = {
    val list = Json.newArray()
    overrides.foreach { case (path, value) => list.addObject().put("path", path).put("value", value) }
    Json.bytes(list)
  }
}

object ConfigSource {

  /** Larger than any config that a person writes; a mistaken path to a data file must not fill the driver. */
  private val MaxBytes = 4 * 1024 * 1024

  def inline(text: String): ConfigSource = new ConfigSource(text.getBytes(UTF_8), "configText")

  /** Reads a file through Hadoop's file systems: `configs/x.yaml`, `s3a://…`, `abfss://…`. */
  def read(path: String, conf: Configuration): ConfigSource =
    DriverFile.read(path, MaxBytes, conf) match {
      case Right(bytes) => new ConfigSource(bytes, path)
      case Left(DriverFile.Missing) => throw unreadable(path, "there is no such file")
      case Left(DriverFile.TooLarge) => throw unreadable(path, s"it is larger than $MaxBytes bytes")
      case Left(DriverFile.Unreadable(why)) => throw unreadable(path, why)
    }

  private def unreadable(path: String, why: String): ConfigException = new ConfigException(
    "CONFIG_FILE",
    s"the config $path could not be read on the driver: $why",
    "Let the option 'config' name a file that the driver can read, with a scheme where it is not in the default file" +
      " system (file:///…, s3a://…)."
  )
}
