package io.apisink.config.secrets

import java.lang.reflect.InvocationTargetException

import io.apisink.config.{SecretAnswer, SecretProvider}

/**
 * Databricks' secret scopes, through `dbutils.secrets.get(scope, key)` of the driver's own JVM: by reflection, for its
 * classes exist on Databricks only (`com.databricks.dbutils_v1.DBUtilsHolder.dbutils().secrets()`).
 *
 * That API has one kind of exception for a scope or key that does not exist and for one that may not be read. Both
 * count as absent, so that other providers serve scopes that Databricks does not know.
 *
 * @param loader finds the classes of the cluster
 */
private[config] final class DatabricksSecrets(loader: ClassLoader) extends SecretProvider {

  override def name: String = "databricks"

  override def find(scope: String, key: String): SecretAnswer =
    try
      holder match {
        case None => SecretAnswer.absent("this driver does not run on Databricks")
        case Some(holder) => get(holder, scope, key)
      }
    catch {
      case e: InvocationTargetException => SecretAnswer.absent(Failures.describe(e.getCause))
    }

  private def holder: Option[Class[_]] =
    try Some(Class.forName(DatabricksSecrets.Holder, true, loader))
    catch {
      case _: ClassNotFoundException => None
    }

  // Methods are those of the declared types: the classes behind them need not be public.
  private def get(holder: Class[_], scope: String, key: String): SecretAnswer = {
    val ofDbutils = holder.getMethod("dbutils")
    val dbutils = ofDbutils.invoke(null)
    if (dbutils == null) SecretAnswer.absent("dbutils is not set for the thread that writes")
    else {
      val ofSecrets = ofDbutils.getReturnType.getMethod("secrets")
      val get = ofSecrets.getReturnType.getMethod("get", classOf[String], classOf[String])
      get.invoke(ofSecrets.invoke(dbutils), scope, key) match {
        case value: String => SecretAnswer.found(value)
        case _ => SecretAnswer.absent(s"dbutils.secrets.get gave nothing for scope $scope and key $key")
      }
    }
  }
}

private object DatabricksSecrets {
  val Holder = "com.databricks.dbutils_v1.DBUtilsHolder"
}
