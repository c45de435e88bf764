package io.apisink.spark

import io.apisink.SchemaException
import io.apisink.journal.DeliveredIds
import io.apisink.sink.SinkTables
import org.apache.hadoop.fs.Path
import org.apache.spark.TaskContext
import org.apache.spark.sql.{DataFrame, Encoders, SparkSession}
import org.apache.spark.sql.apisink.Sessions
import org.apache.spark.sql.functions.{col, expr}
import org.apache.spark.sql.types._
import org.apache.spark.util.SerializableConfiguration

/**
 * What earlier runs have delivered, by the answers in the sink: an anti-join by Spark, whose other side is the write. The
 * sink's tracking ids are spread by the same function over the same partitions as the source's rows, so that each task
 * finds those of its own rows in one file.
 *
 * @param which `success`, or `any` answer
 * @param idType of the source's id column, which decides where an id goes
 * @param runId rows of this run are none of an earlier one
 */
private[spark] final class DeliveredRows(
    spark: SparkSession,
    sink: SinkTables,
    which: String,
    idType: DataType,
    runId: String
) {

  /** Fixes what a run leaves out, if that was not done before; a Spark job over the sink's ids. */
  def leaveOut(run: Path, partitions: Int): DeliveredIds = {
    val conf = Sessions.hadoopConf(spark)
    DeliveredIds.of(run, conf).getOrElse {
      val names = sink.answers(spark).fold(Map.empty[Int, String])(write(_, run, partitions))
      DeliveredIds.fix(run, names, conf)
    }
  }

  private def write(answers: DataFrame, run: Path, partitions: Int): Map[Int, String] = {
    val directory = run.toString
    val conf = spark.sparkContext.broadcast(new SerializableConfiguration(Sessions.hadoopConf(spark)))
    val wanted = if (which == "any") !col("outcome").isin(DeliveredRows.NoAnswer: _*) else col("outcome") === "success"
    answers
      .where(wanted && col("run_id") =!= runId && col("tracking_id").isNotNull)
      .withColumn("apisink_id", expr(DeliveredRows.asId(idType)))
      .where(col("apisink_id").isNotNull)
      .repartition(partitions, col("apisink_id"))
      .select("tracking_id")
      .as(Encoders.STRING)
      .mapPartitions { ids: Iterator[String] =>
        val task = TaskContext.get()
        val partition = task.partitionId()
        DeliveredIds
          .write(new Path(directory), partition, task.taskAttemptId(), ids, conf.value.value)
          .map(partition -> _)
          .iterator
      }(Encoders.tuple(Encoders.scalaInt, Encoders.STRING))
      .collect()
      .toMap
  }
}

private object DeliveredRows {

  /** Outcomes of rows that have no answer. */
  val NoAnswer: Seq[String] = Seq("invalid_row", "transport_error", "unknown")

  /** A tracking_id as the value of the id column that it was the text of. */
  def asId(idType: DataType): String = idType match {
    case _: StringType | ByteType | ShortType | IntegerType | LongType | _: DecimalType | BooleanType | DateType | TimestampType | TimestampNTZType =>
      s"try_cast(tracking_id AS ${idType.sql})"
    case BinaryType => "try_to_binary(tracking_id, 'base64')"
    case other => throw new SchemaException(
        "SCHEMA_COLUMN_TYPE",
        s"execution.skip_delivered cannot look for ids of type ${other.sql} in the sink",
        "Cast the id column to string in the source, or remove skip_delivered."
      )
  }
}
