package io.apisink.rate

import java.util.concurrent.{CountDownLatch, TimeUnit}

import scala.util.control.NonFatal

import io.apisink.jni.Native
import org.apache.spark.api.plugin.PluginContext
import org.slf4j.LoggerFactory

/**
 * Carries the messages of leased rate limits between the native library of an executor and the driver, on a daemon
 * thread of its own. When the driver does not answer no slots come, and nothing is sent.
 */
private[apisink] final class LeaseCourier private (context: PluginContext) extends Runnable {

  private val log = LoggerFactory.getLogger(getClass)
  private val stopping = new CountDownLatch(1)

  override def run(): Unit = while (!stopped) {
    val ask = Native.leaseAsk(LeaseCourier.WaitMillis)
    if (ask.nonEmpty && !stopped) {
      try context.ask(ask) match {
          case grant: Array[Byte] => Native.leaseDeliver(grant)
          case other => throw new IllegalStateException(
              s"the driver answered ${if (other == null) "nothing" else other.getClass.getName}"
            )
        }
      catch {
        case NonFatal(e) if !stopped =>
          log.warn("the driver gave no slots of the rate limit; it is asked again", e)
          Native.leaseGiveUp(ask)
          stopping.await(LeaseCourier.PauseMillis, TimeUnit.MILLISECONDS)
        case NonFatal(_) => ()
      }
    }
  }

  /** Ends the thread after its current wait for the native library, which is half a second at most. */
  def stop(): Unit = stopping.countDown()

  private def stopped: Boolean = stopping.getCount == 0
}

private[apisink] object LeaseCourier {

  private val WaitMillis = 500L
  private val PauseMillis = 500L

  def start(context: PluginContext): LeaseCourier = {
    val courier = new LeaseCourier(context)
    val thread = new Thread(courier, "apisink-leases")
    thread.setDaemon(true)
    thread.start()
    courier
  }
}
