package io.apisink.session

import io.apisink.{ConfigException, SchemaException, SessionClosedException, SessionFailedException}
import io.apisink.config.{CompiledConfig, ConfigCompiler, ConfigSource, Purpose, ReferenceResolver, SecretBytes}
import io.apisink.jni.{Native, NativeLibrary}
import io.apisink.journal.BronzeSchema
import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.arrow.memory.BufferAllocator
import org.apache.spark.sql.apisink.{ArrowTypes, SourceBatch}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.types.{DataType, IntegerType, StringType, StructType}
import org.apache.spark.unsafe.types.UTF8String

/** The boundary itself: batches over, batches back, errors as exceptions, handles that cannot be misused. */
final class NativeSessionSuite extends SparkTest {

  private val source = new StructType().add("tracking_id", StringType)
  private val task = TaskIdentity("run", "opening", "driver", "host", 1, 0, 0, "info", RateKeeper.Process)

  private def compile(origin: Origin): CompiledConfig = {
    val config = TestConfig.atPath(origin, newDirectory()).copy(urlPath = "/v1", middleware = Seq("json_body"))
    new ConfigCompiler(ReferenceResolver.of(spark)).compile(
      ConfigSource.inline(config.yaml),
      Purpose(Some(source.fieldNames.toSeq), dataFrame = Some(true), dryRun = false)
    )
  }

  private def withAllocator[T](body: BufferAllocator => T): T = {
    val allocator = ArrowTypes.newAllocator("test")
    try body(allocator)
    finally allocator.close()
  }

  private def batch(ids: Seq[String], allocator: BufferAllocator): SourceBatch = {
    val batch = new SourceBatch(source, Seq(0), 1000, 1 << 20, allocator)
    ids.foreach(id => batch.write(InternalRow(UTF8String.fromString(id))))
    batch.finish()
    batch
  }

  private def open(compiled: CompiledConfig, allocator: BufferAllocator): NativeSession =
    NativeSession.open(compiled.plan, compiled.secrets, task, ArrowTypes.toArrow(source), allocator)

  test("a submitted batch is released when the call returns, and its buffers can be used again") {
    Origin.using() { origin =>
      withAllocator { allocator =>
        val rows = batch(Seq("a", "b", "c"), allocator)
        val before = allocator.getAllocatedMemory
        val session = open(compile(origin), allocator)
        for (_ <- 1 to 3) {
          session.submit(rows.root)
          assert(allocator.getAllocatedMemory == before)
        }
        session.finish()
        var taken = 0
        while ((session.await(1000, finishing = true) & Native.DONE) == 0) taken += session.takeResponses(2)
        assert(taken == 9)
        session.close()
        rows.close()
      }
    }
  }

  test("the response batches have the schema of the sink") {
    Origin.using() { origin =>
      withAllocator { allocator =>
        val rows = batch(Seq("a"), allocator)
        val session = open(compile(origin), allocator)
        session.submit(rows.root)
        session.finish()
        while (session.takeResponses(10) == 0) session.await(1000, finishing = true)
        val found = ArrowTypes.fromArrow(session.responses.getSchema)
        assert(DataType.equalsIgnoreNullability(found, BronzeSchema.schema), found.treeString)
        session.close()
        rows.close()
      }
    }
  }

  test("a session that was closed is an exception, closing twice is not") {
    Origin.using() { origin =>
      withAllocator { allocator =>
        val session = open(compile(origin), allocator)
        session.close()
        session.close()
        assert(intercept[SessionClosedException](session.await(1, finishing = false)).code == "SESSION_CLOSED")
        // Its slot is taken by another session, whose number is not the old one.
        val next = open(compile(origin), allocator)
        intercept[SessionClosedException](session.await(1, finishing = false))
        next.close()
      }
    }
  }

  test("numbers that never were sessions are exceptions") {
    NativeLibrary.load(null)
    for (handle <- Seq(0L, -1L, 1L, Long.MaxValue, Long.MinValue)) {
      intercept[SessionClosedException](Native.finish(handle))
      Native.closeSession(handle)
    }
  }

  test("a plan that cannot be read, a null and a wrong schema are exceptions with a code, and the process goes on") {
    Origin.using() { origin =>
      withAllocator { allocator =>
        val compiled = compile(origin)
        val garbled = new CompiledConfig("{}".getBytes, new SecretBytes("[]".getBytes), compiled.driver)
        assert(intercept[SessionFailedException](open(garbled, allocator)).code == "SESSION_FAILED")
        intercept[Exception](Native.configReferences(null, null, null))
        intercept[ConfigException](Native.configReferences("a: [".getBytes, "x.yaml", "[]".getBytes))
        val other = ArrowTypes.toArrow(new StructType().add("other", IntegerType))
        val refused =
          intercept[SchemaException](NativeSession.open(compiled.plan, compiled.secrets, task, other, allocator))
        assert(refused.getMessage.contains("tracking_id"), refused.getMessage)
        open(compiled, allocator).close()
      }
    }
  }
}
