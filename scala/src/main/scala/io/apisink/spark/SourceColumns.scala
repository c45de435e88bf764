package io.apisink.spark

import io.apisink.SchemaException
import io.apisink.config.DriverPlan
import io.apisink.journal.BronzeSchema
import org.apache.spark.sql.apisink.ArrowTypes
import org.apache.spark.sql.types.{ArrayType, DataType, MapType, StructField, StructType}

/**
 * The source columns that are handed to the native library.
 *
 * @param schema of these columns, in their order
 * @param ordinals their positions in the source's rows
 * @param kept what stands in the sink's rows after the response's own columns: those of these that are kept, then those that
 *   are picked from answers
 * @param identity those that tell rows apart: the id column, or all that Spark can spread rows by
 */
final class SourceColumns(
    val schema: StructType,
    val ordinals: Seq[Int],
    val kept: StructType,
    val identity: StructType
)

object SourceColumns {

  /** Picks the columns that the plan uses; refuses missing, ambiguous and unsupported ones by name. */
  def select(source: StructType, plan: DriverPlan): SourceColumns = {
    val wanted = plan.columns.getOrElse(source.fieldNames.toSeq)
    val names = plan.idColumn.filterNot(wanted.contains) ++: wanted
    val ordinals = names.map { name =>
      source.fieldNames.indices.filter(source.fieldNames(_) == name) match {
        case Seq(one) => one
        case Seq() => throw new SchemaException(
            "SCHEMA_COLUMN_MISSING",
            s"the source has no column '$name'; it has ${source.fieldNames.mkString(", ")}",
            "Correct the config's name, which minds case, or add the column to the source."
          )
        case many => throw new SchemaException(
            "SCHEMA_COLUMN_AMBIGUOUS",
            s"the source has ${many.size} columns of the name '$name'",
            "Rename all but one of them, or drop them."
          )
      }
    }
    val fields = ordinals.map(source.fields(_))
    fields.foreach { field =>
      ArrowTypes.unsupported(field).foreach { why =>
        throw new SchemaException(
          "SCHEMA_COLUMN_TYPE",
          s"the column '${field.name}' of type ${field.dataType.sql} cannot be sent: $why",
          s"Cast it in the source (for example to_json(${field.name}) or cast(${field.name} as string)), or drop it."
        )
      }
    }
    plan.sink.sourceColumns.filter(BronzeSchema.hasColumn).foreach { name =>
      throw new SchemaException(
        "SCHEMA_COLUMN_TAKEN",
        s"the sink cannot keep the source column '$name': its rows have a column of that name of their own",
        if (plan.idColumn.contains(name)) "Remove it from tables.sink.source_columns: tracking_id holds its values."
        else "Rename it in the source, or remove it from tables.sink.source_columns."
      )
    }
    val schema = StructType(fields)
    val picked = plan.sink.responseFields.map { case (name, dataType) =>
      StructField(name, DataType.fromDDL(dataType))
    }
    val identity = plan.idColumn match {
      case Some(name) => Seq(schema(name))
      case None => fields.filter(field => isSpreadable(field.dataType))
    }
    if (identity.isEmpty) {
      throw new SchemaException(
        "SCHEMA_IDENTITY",
        s"without tables.source.id_column rows are spread by their content, and Spark can spread them by none of the" +
          s" columns ${names.mkString(", ")}",
        "Name the column that holds the source rows' key as tables.source.id_column."
      )
    }
    val kept = plan.sink.sourceColumns.map(schema(_)) ++ picked
    new SourceColumns(schema, ordinals, StructType(kept), StructType(identity))
  }

  /** Spark does not hash maps. */
  private def isSpreadable(dataType: DataType): Boolean = dataType match {
    case _: MapType => false
    case ArrayType(element, _) => isSpreadable(element)
    case StructType(fields) => fields.forall(field => isSpreadable(field.dataType))
    case _ => true
  }
}
