package io.apisink.spark

import io.apisink.SchemaException
import io.apisink.config.DriverPlan
import io.apisink.journal.BronzeSchema
import org.apache.spark.sql.apisink.ArrowTypes
import org.apache.spark.sql.types.{DataType, StructField, StructType}

/**
 * The source columns that are handed to the native library.
 *
 * @param schema of these columns, in their order
 * @param ordinals their positions in the source's rows
 * @param kept what stands in the sink's rows after the response's own columns: those of these that are kept, then those that
 *   are picked from answers
 */
final class SourceColumns(
    val schema: StructType,
    val ordinals: Seq[Int],
    val kept: StructType,
    idColumn: String
) {

  def idType: DataType = schema(idColumn).dataType
}

object SourceColumns {

  /** Picks the columns that the plan uses; refuses missing, ambiguous and unsupported ones by name. */
  def select(source: StructType, plan: DriverPlan): SourceColumns = {
    val wanted = plan.columns.getOrElse(source.fieldNames.toSeq)
    val names = if (wanted.contains(plan.idColumn)) wanted else plan.idColumn +: wanted
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
        if (name == plan.idColumn) "Remove it from tables.sink.source_columns: tracking_id holds its values."
        else "Rename it in the source, or remove it from tables.sink.source_columns."
      )
    }
    val schema = StructType(fields)
    val picked = plan.sink.responseFields.map { case (name, dataType) =>
      StructField(name, DataType.fromDDL(dataType))
    }
    new SourceColumns(
      schema,
      ordinals,
      StructType(plan.sink.sourceColumns.map(schema(_)) ++ picked),
      plan.idColumn
    )
  }
}
