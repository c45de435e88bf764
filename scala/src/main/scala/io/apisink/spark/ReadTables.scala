package io.apisink.spark

import org.apache.hadoop.fs.Path
import org.apache.spark.sql.connector.catalog.{Identifier, Table}
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * The tables behind `spark.read.format("apisink")`, by names in [[ApiSinkCatalog]].
 *
 * Spark hands a read's options to the scan, but asks for the columns before: what decides on columns stands in the name.
 * Nothing secret does, for Spark prints names.
 */
private[spark] object ReadTables {

  private val Journal = "journal"
  private val AllFiles = "all"
  private val Tables = Identifier.of(Array("read"), "tables")
  private val Result = Identifier.of(Array("read"), "result")

  /** The name of the table that a read's options are about; none for those of a write. */
  def identifier(options: CaseInsensitiveStringMap): Option[Identifier] =
    if (!ApiSinkOptions.isRead(options)) None
    else ApiSinkOptions.forRead(options) match {
      case ReadOptions.Journal(directory, manifest) =>
        Some(Identifier.of(Array(Journal, directory), manifest.fold(AllFiles)(_.toString)))
      case _: ReadOptions.Result => Some(Result)
      case _: ReadOptions.Tables => Some(Tables)
    }

  /** The table of such a name; none for other names. */
  def find(identifier: Identifier): Option[Table] = (identifier, identifier.namespace()) match {
    case (Tables, _) => Some(new ConfigTablesTable)
    case (Result, _) => Some(new ResultTable)
    case (_, Array(Journal, directory)) => Some(new JournalTable(new Path(directory), identifier.name().toIntOption))
    case _ => None
  }
}
