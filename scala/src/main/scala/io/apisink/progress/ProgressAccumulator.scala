package io.apisink.progress

import io.apisink.Outcomes
import org.apache.spark.util.AccumulatorV2

/**
 * How the rows of a run have ended so far. Each task attempt sets its own numbers; Spark carries those of running tasks
 * to the driver with the executors' heartbeats and adds those of finished ones up.
 *
 * For people who look on. What counts stands in the manifest.
 */
final class ProgressAccumulator extends AccumulatorV2[Outcomes, Outcomes] {

  private var sum = Outcomes()

  override def isZero: Boolean = sum == Outcomes()

  override def copy(): ProgressAccumulator = {
    val other = new ProgressAccumulator
    other.sum = sum
    other
  }

  override def reset(): Unit = sum = Outcomes()

  override def add(more: Outcomes): Unit = sum += more

  override def merge(other: AccumulatorV2[Outcomes, Outcomes]): Unit = add(other.value)

  override def value: Outcomes = sum

  /** Puts a task attempt's numbers in the place of its earlier ones. */
  def set(now: Outcomes): Unit = sum = now
}
