package io.apisink.progress

import scala.collection.mutable

import io.apisink.Outcomes
import io.apisink.config.FailWhen
import org.apache.spark.SparkContext
import org.apache.spark.scheduler._

/**
 * Tells how far a run is, each time that Spark brings news of its tasks and the interval has passed, and stops it when too
 * many of its rows have failed.
 *
 * Lives from the opening of the run to its end. All methods but [[start]] and [[stop]] run on a thread of Spark's
 * listener bus: they do nothing that takes time.
 *
 * @param countRows the number of source rows, as soon as Spark knows it
 * @param intervalMs least time between two lines, in milliseconds; 0 for no line
 * @param say takes a line
 * @param failWhen what stops the run, by the rows of all its tasks
 */
final class RunProgress(
    context: SparkContext,
    countRows: () => Option[Long],
    intervalMs: Long,
    say: String => Unit,
    failWhen: FailWhen,
    clock: () => Long = () => System.nanoTime() / 1000000L
) extends SparkListener {

  val accumulator = new ProgressAccumulator

  private val begun = clock()
  private val running = mutable.Map.empty[Long, Outcomes]
  private var finished = Outcomes()
  private var total: Option[Long] = None
  private var last = (begun, 0L)
  private var stopped = false

  def start(): Unit = {
    // Spark tells listeners of accumulators that have names; the page of the stage shows them, too.
    context.register(accumulator, "apisink rows")
    if (intervalMs > 0 || failWhen.isDefined) context.addSparkListener(this)
  }

  /** May be called again. */
  def stop(): Unit = context.removeSparkListener(this)

  override def onExecutorMetricsUpdate(event: SparkListenerExecutorMetricsUpdate): Unit = {
    val updates = for {
      (task, stage, _, updates) <- event.accumUpdates
      now <- outcomes(updates)
    } yield (task, stage, now)
    updates.foreach { case (task, _, now) => running.update(task, now) }
    updates.headOption.foreach { case (_, stage, _) => news(stage) }
  }

  override def onTaskEnd(event: SparkListenerTaskEnd): Unit = {
    running.remove(event.taskInfo.taskId)
    outcomes(event.taskInfo.accumulables.toSeq).filter(_ => event.taskInfo.successful).foreach { more =>
      finished += more
      news(event.stageId)
    }
  }

  private def news(stage: Int): Unit = {
    val all = running.values.foldLeft(finished)(_ + _)
    if (intervalMs > 0) tell(all)
    if (!stopped) failWhen.verdict(all).foreach { why =>
      stopped = true
      context.cancelStage(stage, s"sending has stopped: $why; what was answered is kept")
    }
  }

  private def outcomes(updates: Seq[AccumulableInfo]): Option[Outcomes] =
    updates.find(_.id == accumulator.id).flatMap(_.update).collect { case now: Outcomes => now }

  private def tell(all: Outcomes): Unit = {
    val now = clock()
    val (then, rowsThen) = last
    if (now - then >= intervalMs) {
      val passed = all.rows + all.skipped
      val recent = math.max(0L, passed - rowsThen) * 1000.0 / math.max(1L, now - then)
      last = (now, passed)
      if (total.isEmpty) total = countRows()
      say(ProgressLine.of(all, total, (now - begun) / 1000.0, recent))
    }
  }
}

object RunProgress {

  /** Spark setting: least time between two progress lines, as Spark writes times; 0 for none. */
  val Setting = "spark.apisink.progress.interval"

  private val Default = "10s"

  /** Milliseconds. */
  def interval(context: SparkContext): Long = context.getConf.getTimeAsMs(Setting, Default)
}
