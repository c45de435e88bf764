package org.apache.spark.sql.apisink

import scala.util.Try

import org.apache.spark.sql.execution.datasources.DataSource
import org.apache.spark.sql.internal.SQLConf

/** Which data sources the session has. */
object Formats {

  /** Whether `df.write.format(name)` finds something. */
  def exists(name: String): Boolean = Try(DataSource.lookupDataSource(name, SQLConf.get)).isSuccess

  /** Whether a class is there, be it in a jar of `--jars`. It is not initialised. */
  def isOnClassPath(name: String): Boolean =
    Try(Class.forName(name, false, Thread.currentThread().getContextClassLoader)).isSuccess
}
