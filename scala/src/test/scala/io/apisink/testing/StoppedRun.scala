package io.apisink.testing

import java.nio.file.{Files, Path}
import java.util.concurrent.CompletableFuture

import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

import org.apache.spark.sql.SparkSession

/** A run that is stopped amid its rows, with what was answered in its journal. The journal is beside the sink. */
object StoppedRun {

  /**
   * Starts a write and cancels it once more than `requests` requests were seen. Returns when nothing is sent any more and
   * what was answered is in the journal.
   */
  def stopAmid(spark: SparkSession, origin: Origin, sink: Path, requests: Long)(write: => Unit): Unit = {
    val job = CompletableFuture.runAsync { () =>
      spark.sparkContext.setJobGroup("stopped", "a run that is stopped")
      write
    }
    Eventually.until("requests")(origin.count("requests") > requests)
    spark.sparkContext.cancelJobGroup("stopped")
    assert(Try(job.get()).isFailure)
    // Spark lets a job fail before its tasks have ended. Connections with a request are closed with it, the others after
    // their idle timeout.
    Eventually.until("connections to close")(origin.count("open_connections") == 0)
    // A file that is renamed while the directory is read is looked for again.
    Eventually.until("the tasks to keep what was answered") {
      Try(hidden(sink).isEmpty && journal(sink).nonEmpty).getOrElse(false)
    }
  }

  /** Finished journal files. */
  def journal(sink: Path): Seq[Path] = files(sink).filter(_.getFileName.toString.endsWith(".arrow"))

  /** Journal files that are being written. */
  private def hidden(sink: Path): Seq[Path] = files(sink).filter(_.getFileName.toString.endsWith(".tmp"))

  private def files(sink: Path): Seq[Path] =
    Using.resource(Files.walk(sink.resolve("_apisink")))(_.iterator().asScala.toVector)
}
