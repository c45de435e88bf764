package org.apache.spark.sql.apisink

import scala.util.Try

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic
import org.apache.spark.status.api.v1.StageStatus

/** What Spark has counted of the queries that run. */
object Shuffles {

  /** The id of the query that this thread runs, for [[rows]]. */
  def currentQuery(spark: SparkSession): Option[Long] =
    Option(spark.sparkContext.getLocalProperty("spark.sql.execution.id")).flatMap(_.toLongOption)

  /** Rows of the last finished shuffle of a query; none when it has none, or Spark has not counted it yet. */
  def rows(spark: SparkSession, query: Long): Option[Long] = spark match {
    case session: classic.SparkSession => Try {
        val stages = session.sharedState.statusStore.execution(query).fold(Set.empty[Int])(_.stages)
        stages.toSeq.sorted.reverseIterator
          .flatMap(stage => Try(session.sparkContext.statusStore.lastStageAttempt(stage)).toOption)
          .collectFirst {
            case stage if stage.status == StageStatus.COMPLETE && stage.shuffleWriteRecords > 0 =>
              stage.shuffleWriteRecords
          }
      }.toOption.flatten
    case _ => None
  }
}
