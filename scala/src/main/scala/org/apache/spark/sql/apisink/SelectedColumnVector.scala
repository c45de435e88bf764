package org.apache.spark.sql.apisink

import org.apache.spark.sql.types.Decimal
import org.apache.spark.sql.vectorized.{ColumnVector, ColumnarArray, ColumnarMap}
import org.apache.spark.unsafe.types.UTF8String

/**
 * Some rows of a column vector, without a copy.
 *
 * @param rows row numbers in `all`, in the order in which they appear here
 */
final class SelectedColumnVector(all: ColumnVector, rows: Array[Int])
    extends ColumnVector(all.dataType) {

  // The vectors belong to the reader of the file.
  override def close(): Unit = ()

  override def hasNull: Boolean = all.hasNull && rows.exists(all.isNullAt)
  override def numNulls(): Int = rows.count(all.isNullAt)
  override def isNullAt(row: Int): Boolean = all.isNullAt(rows(row))
  override def getBoolean(row: Int): Boolean = all.getBoolean(rows(row))
  override def getByte(row: Int): Byte = all.getByte(rows(row))
  override def getShort(row: Int): Short = all.getShort(rows(row))
  override def getInt(row: Int): Int = all.getInt(rows(row))
  override def getLong(row: Int): Long = all.getLong(rows(row))
  override def getFloat(row: Int): Float = all.getFloat(rows(row))
  override def getDouble(row: Int): Double = all.getDouble(rows(row))
  override def getArray(row: Int): ColumnarArray = all.getArray(rows(row))
  override def getMap(row: Int): ColumnarMap = all.getMap(rows(row))
  override def getUTF8String(row: Int): UTF8String = all.getUTF8String(rows(row))
  override def getBinary(row: Int): Array[Byte] = all.getBinary(rows(row))
  override def getDecimal(row: Int, precision: Int, scale: Int): Decimal = all.getDecimal(rows(row), precision, scale)

  // A struct is read through its children, at the struct's own row number.
  override def getChild(ordinal: Int): ColumnVector = new SelectedColumnVector(all.getChild(ordinal), rows)
}
