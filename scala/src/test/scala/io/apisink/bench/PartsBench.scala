package io.apisink.bench

import java.nio.file.Files

import scala.annotation.unused

import io.apisink.ApiSink
import io.apisink.config.{CompiledConfig, ConfigCompiler, ConfigSource, Purpose, ReferenceResolver}
import io.apisink.jni.Native
import io.apisink.journal.{FlushLimits, JournalWriter}
import io.apisink.session.{NativeSession, RateKeeper, TaskIdentity}
import io.apisink.sink.{ResponseTable, SinkTarget}
import io.apisink.testing.{SparkTest, TestConfig}
import org.apache.arrow.memory.BufferAllocator
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path => HadoopPath}
import org.apache.spark.sql.apisink.{ArrowTypes, Sessions, SourceBatch}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.types.{StringType, StructType}
import org.apache.spark.unsafe.types.UTF8String

/**
 * What the parts of a run that the JVM sees cost, each alone and over and over in one warm process, so that a change of the
 * whole job's cost can be found in one of them. Run by `make bench-parts`; asserts nothing.
 */
object PartsBench {

  /** Rows of a batch, as a job's are. */
  private val Batch = 256
  private val Rows = 400 * Batch
  private val WarmUp = 5
  private val Times = 15

  private val source = new StructType().add("tracking_id", StringType).add("name", StringType)
  private val task = TaskIdentity("bench", "opening", "driver", "host", 1, 0, 0, "error", RateKeeper.Process)

  def main(@unused arguments: Array[String]): Unit = {
    println(s"median of $Times times $Rows rows, after $WarmUp to warm up\n\n| part | µs a row |\n|---|---|")
    val allocator = ArrowTypes.newAllocator("bench")
    val rows = new SourceBatch(source, Seq(0, 1), Batch, 64L << 20, allocator)
    try {
      val compiled = compile()
      report("Spark's rows to Arrow batches")(fill(rows)(()))
      report("... over the boundary, rendered, with their answers back; nothing is sent")(cross(
        compiled,
        rows,
        allocator
      ))
      journal(compiled, rows, allocator)
      append()
    } finally {
      rows.close()
      allocator.close()
      SparkTest.session.stop()
    }
  }

  /** Runs and times a part that handles [[Rows]] rows. */
  private def report(part: String)(run: => Unit): Unit = {
    val nanos = Seq.fill(WarmUp + Times) {
      val begun = System.nanoTime()
      run
      System.nanoTime() - begun
    }
    val median = nanos.drop(WarmUp).sorted.apply(Times / 2)
    println(f"| $part | ${median / 1e3 / Rows}%.2f |")
  }

  private def compile(): CompiledConfig = {
    val config = TestConfig(
      "http://localhost",
      Seq("path: /nowhere"),
      urlPath = "/v1/rows",
      middleware = Seq("retry", "logging", "timing", "json_body")
    )
    new ConfigCompiler(ReferenceResolver.of(SparkTest.session)).compile(
      ConfigSource.inline(config.yaml),
      Purpose(Some(source.fieldNames.toSeq), dataFrame = Some(true), dryRun = true)
    )
  }

  /** Fills the batch again and again, and hands it on each time. */
  private def fill(batch: SourceBatch)(use: => Unit): Unit =
    for (from <- 0 until Rows by Batch) {
      for (row <- from until from + Batch)
        batch.write(InternalRow(UTF8String.fromString(s"t-$row"), UTF8String.fromString(s"name $row")))
      batch.finish()
      use
      batch.reset()
    }

  private def cross(compiled: CompiledConfig, rows: SourceBatch, allocator: BufferAllocator): Unit = {
    val session = NativeSession.open(compiled.plan, compiled.secrets, task, rows.arrowSchema, allocator)
    def waiting(bit: Int, finishing: Boolean): Unit = {
      var ready = 0
      while ((ready & bit) == 0) {
        ready = session.await(1000, finishing)
        if ((ready & Native.RESPONSES) != 0) session.takeResponses(4096)
      }
    }
    try {
      fill(rows) {
        waiting(Native.READY_FOR_ROWS, finishing = false)
        session.submit(rows.root)
      }
      session.finish()
      waiting(Native.DONE, finishing = true)
    } finally session.close()
  }

  private def journal(compiled: CompiledConfig, rows: SourceBatch, allocator: BufferAllocator): Unit = {
    val session = NativeSession.open(compiled.plan, compiled.secrets, task, rows.arrowSchema, allocator)
    val conf = new Configuration()
    val directory = new HadoopPath(SparkTest.newDirectory().toUri)
    try {
      for (row <- 0 until Batch)
        rows.write(InternalRow(UTF8String.fromString(s"t-$row"), UTF8String.fromString("name")))
      rows.finish()
      session.submit(rows.root)
      rows.reset()
      session.finish()
      while ((session.await(1000, finishing = true) & Native.RESPONSES) == 0) {}
      val taken = session.takeResponses(Batch)
      require(taken == Batch, s"$taken answers of $Batch at once")
      report("response batches into a journal file") {
        val label = JournalWriter.attemptLabel(0)
        val writer = new JournalWriter(directory, 0, label, FlushLimits(60000, Long.MaxValue, Long.MaxValue), conf)
        for (_ <- 0 until Rows / Batch) writer.append(session.responses)
        writer.close()
        directory.getFileSystem(conf).delete(directory, true)
        ()
      }
    } finally session.close()
  }

  /** Of response rows that lie in memory, by as many tasks as the session has. */
  private def append(): Unit = {
    val spark = Sessions.copyOf(SparkTest.session)
    val sink = SparkTest.newDirectory()
    val text = TestConfig("http://localhost", Seq(s"""path: "$sink""""), urlPath = "/v1/rows").yaml
    val config = Files.writeString(sink.resolve("pipeline.yaml"), text).toString
    val frame = spark.range(Rows.toLong).selectExpr("concat('t-', id) tracking_id", "concat('name ', id) name")
    val run = ApiSink.run(spark, config, Option(frame), Map("dryRun" -> "true"))
    val rendered = spark.read.format("delta").load(run.sink).cache()
    require(rendered.count() == Rows.toLong)
    report("response rows into a Delta table, in one file") {
      val target = SinkTarget.AtPath(new HadoopPath(SparkTest.newDirectory().toUri))
      new ResponseTable(spark, target, "delta", overwrite = false).write(rendered, "bench", 0, files = 1)
    }
  }
}
