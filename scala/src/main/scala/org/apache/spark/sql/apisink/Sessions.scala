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

  /**
   * A session with the same settings, views, current catalog and namespace, whose settings may be changed without anybody
   * noticing.
   */
  def copyOf(spark: SparkSession): SparkSession = spark match {
    case session: classic.SparkSession =>
      val copy = session.cloneSession()
      // Spark's own copy begins in the default catalog.
      val (from, to) = (session.sessionState.catalogManager, copy.sessionState.catalogManager)
      to.setCurrentCatalog(from.currentCatalog.name())
      if (!to.currentNamespace.sameElements(from.currentNamespace)) to.setCurrentNamespace(from.currentNamespace)
      copy
    case _ => spark.newSession()
  }
}
