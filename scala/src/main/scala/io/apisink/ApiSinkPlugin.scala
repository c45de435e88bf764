package io.apisink

import java.util

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import io.apisink.config.NativeLibrarySetting
import io.apisink.jni.{Native, NativeLibrary}
import io.apisink.metrics.ProcessGauges
import io.apisink.rate.LeaseCourier
import io.apisink.spark.ApiSinkProvider
import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.api.plugin.{DriverPlugin, ExecutorPlugin, PluginContext, SparkPlugin}
import org.apache.spark.sql.apisink.ContextSettings
import org.slf4j.LoggerFactory

/**
 * Spark's plugin for apisink: `spark.plugins=io.apisink.ApiSinkPlugin`. Everything works without it, but with it
 *
 *  - SQL knows the catalog `apisink` before the first write: `INSERT INTO apisink.default.rows WITH (…) SELECT …`
 *  - executors load the native library when they start, not when the first row is there
 *  - one rate limit holds for all executors together: the driver owns its schedule and executors lease slots of it
 *    through Spark's own messages. Without it each task gets a fixed share
 *  - Spark's metric system has gauges of what each executor sends
 *  - an executor that ends lets what is in flight be answered and kept, for a grace time
 */
final class ApiSinkPlugin extends SparkPlugin {

  override def driverPlugin(): DriverPlugin = new ApiSinkDriverPlugin

  override def executorPlugin(): ExecutorPlugin = new ApiSinkExecutorPlugin
}

private final class ApiSinkDriverPlugin extends DriverPlugin {

  override def init(context: SparkContext, plugin: PluginContext): util.Map[String, String] = {
    ApiSinkPlugin.leases = true
    ContextSettings.setIfMissing(context, ApiSinkProvider.CatalogSetting, ApiSinkProvider.CatalogClass)
    Map.empty[String, String].asJava
  }

  /** Runs on the one thread that Spark has for all plugins: does not block. Replies in a type that every loader knows. */
  override def receive(message: Object): Object = message match {
    case ask: Array[Byte] =>
      NativeLibrary.load(NativeLibrarySetting.current)
      Native.leaseAnswer(ask)
    case _ => null
  }

  override def shutdown(): Unit = ApiSinkPlugin.leases = false
}

private final class ApiSinkExecutorPlugin extends ExecutorPlugin {

  private val log = LoggerFactory.getLogger(classOf[ApiSinkPlugin])
  private var courier: Option[LeaseCourier] = None
  private var graceMillis: Option[Long] = None

  override def init(plugin: PluginContext, extra: util.Map[String, String]): Unit =
    try {
      NativeLibrary.load(plugin.conf().get(NativeLibrary.OVERRIDE, null))
      graceMillis = Some(ApiSinkPlugin.grace(plugin.conf()))
      ProcessGauges.register(plugin.metricRegistry())
      // In local mode driver and executor are one process, which keeps its limits itself.
      if (plugin.executorID() != "driver") courier = Some(LeaseCourier.start(plugin))
    } catch {
      // An executor that sends nothing needs no library; one that does gets the same error with its first row.
      case NonFatal(e) => log.warn("the native library could not be loaded", e)
    }

  /** The courier last: what is in flight may wait for its slot. */
  override def shutdown(): Unit =
    try graceMillis.filterNot(Native.shutDown).foreach { grace =>
        log.warn(s"the executor ended before all that was in flight was answered and kept; grace time $grace ms")
      }
    catch {
      case NonFatal(e) => log.warn("the executor's sending side did not end in order", e)
    } finally courier.foreach(_.stop())
}

private[apisink] object ApiSinkPlugin {

  /** On the driver: whether executors can lease slots of rate limits. For the life of the Spark context. */
  @volatile var leases: Boolean = false

  /** Spark setting: so long an executor that ends waits for answers, as Spark writes times. */
  val GraceSetting = "spark.apisink.shutdown.grace"

  private val DefaultGrace = "5s"

  /** Milliseconds. */
  def grace(conf: SparkConf): Long = conf.getTimeAsMs(GraceSetting, DefaultGrace)
}
