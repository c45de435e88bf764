package org.apache.spark.sql.apisink

import org.apache.spark.SparkContext

/** Settings of a context that is starting, before its first session reads them. */
object ContextSettings {

  def setIfMissing(context: SparkContext, key: String, value: String): Unit = {
    context.conf.setIfMissing(key, value)
    ()
  }
}
