package io.apisink.control

import java.time.ZonedDateTime
import java.util.concurrent.{CountDownLatch, TimeUnit}

import scala.util.control.NonFatal

import io.apisink.jni.Native

/**
 * Steers a run's rate limits while it goes on, by its control file and its sending window. Lives on the driver from the
 * opening of the run to its end, with a daemon thread of its own.
 *
 * A pause lapses by itself when nobody renews it, so that a driver that dies leaves none behind.
 *
 * @param general name of the limit that gets another rate
 * @param others names of the limits that are held back with it
 * @param say takes a line for people
 */
private[apisink] final class RunControl(
    general: String,
    others: Seq[String],
    file: ControlFile,
    window: Option[SendingWindow],
    say: String => Unit,
    now: () => ZonedDateTime = () => ZonedDateTime.now()
) extends Runnable {

  private val stopping = new CountDownLatch(1)
  private var wish = Wish()
  private var complaint = ""
  private var closed = false

  /** Takes the first look before a row is sent, and then goes on looking. */
  def start(): Unit = {
    look()
    val thread = new Thread(this, "apisink-control")
    thread.setDaemon(true)
    thread.start()
  }

  override def run(): Unit = while (!stopping.await(RunControl.IntervalMillis, TimeUnit.MILLISECONDS)) look()

  /** The config's own limit holds again. May be called again. */
  def stop(): Unit = {
    stopping.countDown()
    steer(None, 0)
  }

  private def look(): Unit = {
    val before = wish
    wish = wanted()
    tell(before)
    val pause = if (wish.paused || closed) RunControl.PauseMillis else 0L
    steer(wish.perSecond, pause)
  }

  private def steer(perSecond: Option[Double], pauseMillis: Long): Unit = {
    Native.steerRate(general, perSecond.getOrElse(Double.NaN), pauseMillis)
    others.foreach(Native.steerRate(_, Double.NaN, pauseMillis))
  }

  /** What cannot be read changes nothing. */
  private def wanted(): Wish =
    try {
      val read = file.read()
      complaint = ""
      read
    } catch {
      case NonFatal(e) =>
        val why = String.valueOf(e.getMessage).linesIterator.nextOption().getOrElse("")
        if (why != complaint) say(s"${file.path} is not followed: $why")
        complaint = why
        wish
    }

  private def tell(before: Wish): Unit = {
    if (wish.perSecond != before.perSecond) {
      say(wish.perSecond.fold("the rate is the config's again")(rate =>
        s"the rate is $rate requests/s now, by ${file.path}"
      ))
    }
    if (wish.paused != before.paused) {
      say(if (wish.paused) s"paused by ${file.path}" else "goes on, for it is not paused any more")
    }
    val shut = window.filterNot(_.isOpen(now()))
    if (shut.isDefined != closed) {
      closed = shut.isDefined
      say(shut.fold("goes on, for its sending window has opened")(w =>
        s"pauses until its sending window opens, ${w.opens(now())}"
      ))
    }
  }
}

private object RunControl {

  /** Between two looks, in milliseconds. */
  val IntervalMillis = 1000L

  /** A pause that is not renewed ends after this time, in milliseconds. */
  val PauseMillis = 3000L
}
