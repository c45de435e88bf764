package io.apisink.spark

import io.apisink.ConfigException
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.types.{StringType, StructType}
import org.apache.spark.sql.util.CaseInsensitiveStringMap
import org.apache.spark.unsafe.types.UTF8String

/** The result of a write of this application, as JSON, for callers outside of the JVM. See [[RunResults]]. */
private[spark] final class ResultTable extends OneRowTable("apisink result", ResultTable.columns) {

  override protected def row(options: CaseInsensitiveStringMap): InternalRow =
    ApiSinkOptions.forRead(options) match {
      case ReadOptions.Result(name) =>
        val result = RunResults.find(name).getOrElse {
          throw new ConfigException(
            "OPTION_RESULT",
            s"no write of this application has ended under the name '$name'",
            "Give the write .option(\"result\", …) and read after it has ended."
          )
        }
        InternalRow(UTF8String.fromString(result.toJson))
      case other => throw new IllegalStateException(s"not options of a result: ${other.getClass.getName}")
    }
}

private[spark] object ResultTable {
  val columns: StructType = new StructType().add("json", StringType, nullable = false)
}
