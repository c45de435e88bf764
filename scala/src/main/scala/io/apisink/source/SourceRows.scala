package io.apisink.source

import io.apisink.ConfigException
import io.apisink.config.SourceSettings
import org.apache.spark.sql.{AnalysisException, DataFrame, SparkSession}

/** The rows of a table that a config names, read by Spark. */
private[apisink] object SourceRows {

  /**
   * Plans the read; no row is read yet.
   *
   * @throws ConfigException when Spark finds no such table, or cannot make sense of `filter` or `select`
   */
  def read(spark: SparkSession, source: SourceSettings): DataFrame = {
    val (name, all) = (source.target.table, source.target.path) match {
      case (Some(table), _) => table -> checked(s"reads $table")(spark.table(table))
      case (None, Some(path)) =>
        path -> checked(s"reads $path")(spark.read.format(source.format.getOrElse("delta")).load(path))
      case (None, None) => throw new ConfigException(
          "SOURCE_MISSING",
          "no DataFrame was handed over, and tables.source names no rows",
          "Write tables.source.name, identifier or path, or hand a DataFrame over."
        )
    }
    val filtered =
      source.filter.fold(all)(filter => checked(s"has the filter $filter on $name")(all.where(filter)))
    if (source.select.isEmpty) filtered
    else checked(s"selects ${source.select.mkString(", ")} from $name")(filtered.selectExpr(source.select: _*))
  }

  private def checked(what: String)(read: => DataFrame): DataFrame =
    try read
    catch {
      case e: AnalysisException => throw new ConfigException(
          "SOURCE_READ",
          s"the config $what, and Spark says: ${e.getMessage.linesIterator.nextOption().getOrElse("")}",
          "Correct the section tables of the config, or create what it names.",
          e
        )
    }
}
