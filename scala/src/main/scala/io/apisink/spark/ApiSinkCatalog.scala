package io.apisink.spark

import java.util

import io.apisink.ConfigException
import org.apache.spark.sql.connector.catalog._
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * A catalog with one table that is always there and never exists, and with what can be read ([[ReadTables]]).
 *
 * With it `save()` works without a mode: Spark asks whether the table exists, stages its creation and appends to it.
 * [[ApiSinkProvider]] registers it under its own name. It has no state.
 */
final class ApiSinkCatalog extends StagingTableCatalog {

  private var catalogName = ApiSinkProvider.ShortName

  override def initialize(name: String, options: CaseInsensitiveStringMap): Unit = catalogName = name

  override def name(): String = catalogName

  override def tableExists(ident: Identifier): Boolean = false

  override def loadTable(ident: Identifier): Table = ReadTables.find(ident).getOrElse(new ApiSinkTable)

  override def createTable(ident: Identifier, table: TableInfo): Table = stageCreate(ident, table)

  override def stageCreate(ident: Identifier, table: TableInfo): StagedTable = {
    if (table.partitions().nonEmpty) {
      throw unsupported("partitionBy", "Drop it: rows are spread by their id, and the sink is written as it is.")
    }
    new ApiSinkStagedTable
  }

  override def stageReplace(ident: Identifier, table: TableInfo): StagedTable =
    throw unsupported("replacing a table", "Write .mode(\"append\"): answers are appended to the sink.")

  override def stageCreateOrReplace(ident: Identifier, table: TableInfo): StagedTable = stageReplace(ident, table)

  override def listTables(namespace: Array[String]): Array[Identifier] = Array.empty

  override def alterTable(ident: Identifier, changes: TableChange*): Table =
    throw unsupported("altering a table", "The config says how rows are sent.")

  override def dropTable(ident: Identifier): Boolean = false

  override def renameTable(from: Identifier, to: Identifier): Unit =
    throw unsupported("renaming a table", "The config says how rows are sent.")

  override def capabilities(): util.Set[TableCatalogCapability] = util.Set.of()

  private def unsupported(what: String, hint: String): ConfigException =
    new ConfigException("UNSUPPORTED", s"format apisink does not support $what", hint)
}
