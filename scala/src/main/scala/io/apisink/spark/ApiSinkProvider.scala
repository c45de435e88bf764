package io.apisink.spark

import java.util

import io.apisink.ConfigException
import io.apisink.journal.BronzeSchema
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.connector.catalog.{Identifier, SupportsCatalogOptions, Table}
import org.apache.spark.sql.connector.expressions.Transform
import org.apache.spark.sql.sources.DataSourceRegister
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The data source `apisink`: `df.write.format("apisink").option("config", "x.yaml").mode("append").save()` sends every
 * row as one HTTP request and leaves one response row for each in a Delta table. Reading it with the option `journal`
 * shows what a run has journaled.
 *
 * Options: see [[ApiSinkOptions]].
 */
final class ApiSinkProvider extends SupportsCatalogOptions with DataSourceRegister {

  override def shortName(): String = ApiSinkProvider.ShortName

  override def inferSchema(options: CaseInsensitiveStringMap): StructType = BronzeSchema.schema

  override def getTable(
      schema: StructType,
      partitioning: Array[Transform],
      properties: util.Map[String, String]
  ): Table = new ApiSinkTable

  override def extractIdentifier(options: CaseInsensitiveStringMap): Identifier = {
    ApiSinkProvider.registerCatalog()
    // Spark hands the options to the scan, but asks for the columns before: what decides on them stands in the name.
    ReadTables.identifier(options).getOrElse(Identifier.of(Array("default"), "rows"))
  }

  override def extractCatalog(options: CaseInsensitiveStringMap): String = {
    ApiSinkProvider.registerCatalog()
    ApiSinkProvider.ShortName
  }
}

object ApiSinkProvider {

  /** Name of the format and of the catalog behind it. */
  val ShortName = "apisink"

  val CatalogSetting: String = s"spark.sql.catalog.$ShortName"
  val CatalogClass: String = classOf[ApiSinkCatalog].getName

  /**
   * Makes [[ApiSinkCatalog]] known to the active session, unless the session knows it already. In a thread without one,
   * as those of a pool of one's own are, the default session becomes it: Spark looks catalogs up in no other.
   */
  private def registerCatalog(): Unit = {
    val session = SparkSession.active
    if (SparkSession.getActiveSession.isEmpty) SparkSession.setActiveSession(session)
    val conf = session.conf
    conf.getOption(CatalogSetting) match {
      case None => conf.set(CatalogSetting, CatalogClass)
      case Some(CatalogClass) => ()
      case Some(other) => throw new ConfigException(
          "CATALOG",
          s"$CatalogSetting is $other, but format apisink needs the name",
          "Give that catalog another name."
        )
    }
  }
}
