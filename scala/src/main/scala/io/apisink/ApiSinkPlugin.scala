package io.apisink

import java.util

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import io.apisink.jni.NativeLibrary
import io.apisink.spark.ApiSinkProvider
import org.apache.spark.SparkContext
import org.apache.spark.api.plugin.{DriverPlugin, ExecutorPlugin, PluginContext, SparkPlugin}
import org.apache.spark.sql.apisink.ContextSettings
import org.slf4j.LoggerFactory

/**
 * Spark's plugin for apisink: `spark.plugins=io.apisink.ApiSinkPlugin`. Everything works without it, but with it
 *
 *  - SQL knows the catalog `apisink` before the first write: `INSERT INTO apisink.default.rows WITH (…) SELECT …`
 *  - executors load the native library when they start, not when the first row is there
 */
final class ApiSinkPlugin extends SparkPlugin {

  override def driverPlugin(): DriverPlugin = new ApiSinkDriverPlugin

  override def executorPlugin(): ExecutorPlugin = new ApiSinkExecutorPlugin
}

private final class ApiSinkDriverPlugin extends DriverPlugin {

  override def init(context: SparkContext, plugin: PluginContext): util.Map[String, String] = {
    ContextSettings.setIfMissing(context, ApiSinkProvider.CatalogSetting, ApiSinkProvider.CatalogClass)
    Map.empty[String, String].asJava
  }
}

private final class ApiSinkExecutorPlugin extends ExecutorPlugin {

  private val log = LoggerFactory.getLogger(classOf[ApiSinkPlugin])

  override def init(plugin: PluginContext, extra: util.Map[String, String]): Unit =
    try NativeLibrary.load(plugin.conf().get(NativeLibrary.OVERRIDE, null))
    catch {
      // An executor that sends nothing needs no library; one that does gets the same error with its first row.
      case NonFatal(e) => log.warn("the native library could not be loaded", e)
    }
}
