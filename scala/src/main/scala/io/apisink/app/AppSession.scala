package io.apisink.app

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.Formats

/** The session of the spark-submit main: what `spark-submit` says, and Delta where its jars are there. */
private[apisink] object AppSession {

  private val Extensions = "spark.sql.extensions"
  private val DeltaExtension = "io.delta.sql.DeltaSparkSessionExtension"
  private val Catalog = "spark.sql.catalog.spark_catalog"
  private val DeltaCatalog = "org.apache.spark.sql.delta.catalog.DeltaCatalog"

  def open(config: String): SparkSession = {
    val conf = new SparkConf
    val builder = SparkSession.builder()
    if (!conf.contains("spark.app.name")) builder.appName(s"apisink $config")
    if (Formats.isOnClassPath(DeltaExtension)) settings(conf).foreach { case (key, value) =>
      builder.config(key, value)
    }
    builder.getOrCreate()
  }

  /** What the session lacks to write Delta tables. Nothing that somebody has set is replaced. */
  private[app] def settings(conf: SparkConf): Map[String, String] = {
    val extensions = conf.getOption(Extensions).fold(Seq.empty[String])(_.split(',').map(_.trim).toSeq)
    val missing: Map[String, String] =
      if (extensions.contains(DeltaExtension)) Map.empty
      else Map(Extensions -> (extensions :+ DeltaExtension).mkString(","))
    missing ++ Option.unless(conf.contains(Catalog))(Catalog -> DeltaCatalog).toMap
  }
}
