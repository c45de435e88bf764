package org.apache.spark.sql.apisink

import scala.util.control.NonFatal

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Cast, Expression, Literal, Murmur3Hash}
import org.apache.spark.sql.types._

/**
 * Spark's hash of fixed values: what HashPartitioning would compute for ids of a type. Two engines with the same vector
 * spread the same ids over the same partitions.
 */
object IdHash {

  private val texts = Seq("", "apisink", "Zürich", "42")
  private val numbers = Seq(0, 1, -1, 42)

  /** The hashes for a type; empty for a type whose ids cannot be compared that way. */
  def vector(idType: DataType): Seq[Int] = {
    val values: Seq[Expression] = idType match {
      case _: StringType => texts.map(Literal(_))
      case _: NumericType | BooleanType => numbers.map(Literal(_))
      case BinaryType => texts.map(text => Literal(text.getBytes("UTF-8")))
      case DateType | TimestampType | TimestampNTZType =>
        Seq("1970-01-01 00:00:00", "2024-02-29 12:34:56").map(Literal(_))
      case _ => Nil
    }
    try
      values.map { value =>
        val typed = if (value.dataType == idType) value else Cast(value, idType, Some("UTC"))
        new Murmur3Hash(Seq(typed)).eval(InternalRow.empty).asInstanceOf[Int]
      }
    catch {
      // A decimal too narrow for 42, a collation without a cast: nothing to compare.
      case NonFatal(_) => Nil
    }
  }
}
