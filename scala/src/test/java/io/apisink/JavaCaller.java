package io.apisink;

import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Calls a pipeline as Java code would: that this compiles is half of the test. */
public final class JavaCaller {

  private JavaCaller() {}

  /** Sends the same run twice and says how often each outcome occurred. */
  public static Map<String, Long> run(SparkSession spark, String config, Dataset<Row> rows) {
    RunResult first = ApiSink.run(spark, config, rows, Map.of("runId", "from-java"));
    RunResult second = ApiSink.run(spark, config, rows, Map.of("runId", "from-java"));
    if (!second.finishedBefore() || second.rows() != first.rows()) {
      throw new IllegalStateException(second.toJson());
    }
    return first.counts();
  }
}
