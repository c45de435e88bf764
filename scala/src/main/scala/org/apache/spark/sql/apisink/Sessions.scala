package org.apache.spark.sql.apisink

import org.apache.hadoop.conf.Configuration
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.classic

/** What only Spark's own session class tells. Driver only. */
object Sessions {

  /** Hadoop's settings with those of the session: credentials of file systems may stand there. */
  def hadoopConf(spark: SparkSession): Configuration = spark match {
    case session: classic.SparkSession => session.sessionState.newHadoopConf()
    case _ => spark.sparkContext.hadoopConfiguration
  }

  /** A session with the same settings, catalogs and views, whose settings may be changed without anybody noticing. */
  def copyOf(spark: SparkSession): SparkSession = spark match {
    case session: classic.SparkSession => session.cloneSession()
    case _ => spark.newSession()
  }
}
