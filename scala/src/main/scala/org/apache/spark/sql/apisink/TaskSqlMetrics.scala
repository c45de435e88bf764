package org.apache.spark.sql.apisink

import org.apache.spark.TaskContext
import org.apache.spark.sql.connector.metric.{CustomMetric, CustomTaskMetric}
import org.apache.spark.sql.execution.metric.{CustomMetrics, SQLMetric}

/**
 * A write's SQL metrics within one of its tasks. Spark asks a writer for them while it takes rows in; what a writer does
 * after its last row would be seen at its end only.
 */
final class TaskSqlMetrics private (byName: Map[String, SQLMetric]) {

  def set(values: Array[CustomTaskMetric]): Unit =
    values.foreach(value => byName.get(value.name()).foreach(_.set(value.value())))
}

object TaskSqlMetrics {

  /** Those that Spark has sent along with the task of this thread; none outside of a task. */
  def find(metrics: Seq[CustomMetric]): TaskSqlMetrics = {
    val names = metrics.map(metric => CustomMetrics.buildV2CustomMetricTypeName(metric) -> metric.name()).toMap
    val sent = Option(TaskContext.get()).toSeq.flatMap(_.taskMetrics().accumulators())
    val found = sent.collect { case metric: SQLMetric => names.get(metric.metricType).map(_ -> metric) }
    new TaskSqlMetrics(found.flatten.toMap)
  }
}
