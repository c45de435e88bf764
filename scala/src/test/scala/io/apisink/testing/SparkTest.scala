package io.apisink.testing

import java.nio.file.{Files, Path}

import scala.util.Using

import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.apisink.ArrowTypes
import org.scalatest.funsuite.AnyFunSuite

/**
 * A suite on a real local Spark with Delta. All suites of the JVM share one session.
 *
 * After every test no Arrow memory may be left: what crosses into native code and back must have been released.
 */
abstract class SparkTest extends AnyFunSuite {

  protected lazy val spark: SparkSession = SparkTest.session

  /** A new directory of the test's own, removed when the JVM ends. */
  protected def newDirectory(): Path = SparkTest.newDirectory()

  /** The path of a file with the config. */
  protected def written(config: TestConfig): String =
    Files.writeString(newDirectory().resolve("pipeline.yaml"), config.yaml).toString

  protected def delta(path: Path): DataFrame = spark.read.format("delta").load(path.toString)

  /** Whether no task holds a batch: those that were killed or have failed are through as well. */
  protected def noneSends: Boolean = ArrowTypes.allocatedBytes == 0

  override def withFixture(test: NoArgTest) = {
    val outcome = super.withFixture(test)
    if (outcome.isSucceeded) {
      Eventually.until(
        s"Arrow memory left after the test: ${ArrowTypes.allocatedBytes} bytes"
      )(noneSends)
    }
    outcome
  }
}

object SparkTest {

  private lazy val root: Path = {
    val directory = Files.createTempDirectory("apisink-test-")
    Runtime.getRuntime.addShutdownHook(new Thread(() => delete(directory)))
    directory
  }

  /** A new directory, removed when the JVM ends. */
  def newDirectory(): Path = Files.createTempDirectory(root, "t")

  lazy val session: SparkSession = {
    System.setProperty("derby.system.home", root.resolve("derby").toString)
    SparkSession
      .builder()
      .master("local[4]")
      .appName("apisink tests")
      .config("spark.ui.enabled", "false")
      // Numbers of running tasks come with heartbeats.
      .config("spark.executor.heartbeatInterval", "1s")
      .config("spark.sql.shuffle.partitions", "4")
      .config("spark.sql.warehouse.dir", root.resolve("warehouse").toString)
      .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
      .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
      .config("spark.databricks.delta.snapshotPartitions", "1")
      .getOrCreate()
  }

  private def delete(path: Path): Unit = {
    if (Files.isDirectory(path) && !Files.isSymbolicLink(path)) {
      Using.resource(Files.list(path))(_.forEach(delete))
    }
    Files.deleteIfExists(path)
    ()
  }
}
