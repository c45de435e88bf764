package com.databricks.dbutils_v1

/** The shape of Databricks' API as far as secrets go, for tests. No store is set unless a test sets one. */
object DBUtilsHolder {

  val current: InheritableThreadLocal[DBUtilsV1] = new InheritableThreadLocal[DBUtilsV1]

  def dbutils: DBUtilsV1 = current.get()
}

trait DBUtilsV1 {
  def secrets: SecretUtils
}

trait SecretUtils {
  def get(scope: String, key: String): String
}

/** Not public, as the classes behind the real API. */
private[dbutils_v1] final class StoredSecrets(values: Map[(String, String), String]) extends DBUtilsV1
    with SecretUtils {

  override def secrets: SecretUtils = this

  override def get(scope: String, key: String): String = values.getOrElse(
    (scope, key),
    throw new IllegalArgumentException(s"Secret does not exist with scope: $scope and key: $key")
  )
}

object StoredSecrets {

  /** Runs a block on a driver whose Databricks holds these secrets. */
  def during[T](values: ((String, String), String)*)(block: => T): T = {
    DBUtilsHolder.current.set(new StoredSecrets(values.toMap))
    try block
    finally DBUtilsHolder.current.remove()
  }
}
