package org.apache.spark.sql.apisink

import scala.util.control.NonFatal

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.types.pojo.Schema
import org.apache.spark.sql.types._
import org.apache.spark.sql.util.ArrowUtils

/** The parts of Spark's `private[sql]` ArrowUtils that apisink needs: the reason for this package's name. */
object ArrowTypes {

  /** Time zone in the type of timestamps. The values are instants: it changes none of them. */
  private val TimeZone = "UTC"

  /** A child of Spark's own root allocator; the caller closes it, which fails when something is still allocated. */
  def newAllocator(name: String): BufferAllocator =
    ArrowUtils.rootAllocator.newChildAllocator(name, 0, Long.MaxValue)

  /** Bytes that Spark's root allocator has given out in this process, to apisink and to others. */
  def allocatedBytes: Long = ArrowUtils.rootAllocator.getAllocatedMemory

  def toArrow(schema: StructType): Schema =
    ArrowUtils.toArrowSchema(schema, TimeZone, errorOnDuplicatedFieldNames = true, largeVarTypes = false)

  def fromArrow(schema: Schema): StructType = ArrowUtils.fromArrowSchema(schema)

  /** Why a column cannot be handed to the native library; none when it can. */
  def unsupported(field: StructField): Option[String] =
    opaque(field.dataType).map(t => s"values of type ${t.sql} have no text or JSON form").orElse {
      try {
        toArrow(StructType(Seq(field)))
        None
      } catch {
        case NonFatal(e) => Some(String.valueOf(e.getMessage).linesIterator.nextOption().getOrElse(""))
      }
    }

  /** Types that Arrow carries as bytes with a meaning of their own. */
  private def opaque(dataType: DataType): Option[DataType] = dataType match {
    case _: VariantType | _: GeometryType | _: GeographyType => Some(dataType)
    case ArrayType(element, _) => opaque(element)
    case MapType(key, value, _) => opaque(key).orElse(opaque(value))
    case StructType(fields) => fields.iterator.flatMap(f => opaque(f.dataType)).nextOption()
    case udt: UserDefinedType[_] => opaque(udt.sqlType)
    case _ => None
  }
}
