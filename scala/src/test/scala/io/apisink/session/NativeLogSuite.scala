package io.apisink.session

import java.util.concurrent.ConcurrentLinkedQueue

import scala.jdk.CollectionConverters._

import io.apisink.testing.{Origin, SparkTest, TestConfig}
import org.apache.logging.log4j.{Level, LogManager}
import org.apache.logging.log4j.core.{LogEvent, Logger}
import org.apache.logging.log4j.core.appender.AbstractAppender
import org.apache.logging.log4j.core.config.{Configurator, Property}
import org.apache.spark.sql.functions.col

/** What the native library says, in Spark's own log. */
final class NativeLogSuite extends SparkTest {

  private final class Lines extends AbstractAppender("lines", null, null, false, Property.EMPTY_ARRAY) {
    private val events = new ConcurrentLinkedQueue[String]
    override def append(event: LogEvent): Unit = {
      events.add(s"${event.getLevel} ${event.getMessage.getFormattedMessage}")
      ()
    }
    def seen: Seq[String] = events.asScala.toSeq
  }

  /** The lines of a logger while something runs. */
  private def linesOf(name: String, level: Level)(body: => Unit): Seq[String] = {
    val lines = new Lines
    lines.start()
    val logger = LogManager.getLogger(name) match {
      case core: Logger => core
      case other => fail(s"no log4j: ${other.getClass}")
    }
    val before = logger.getLevel
    Configurator.setLevel(name, level)
    logger.addAppender(lines)
    try body
    finally {
      logger.removeAppender(lines)
      Configurator.setLevel(name, before)
    }
    lines.seen
  }

  private def run(origin: Origin): Unit = {
    val config = TestConfig.atPath(origin, newDirectory().resolve("sink")).copy(
      urlPath = "/v1",
      partitions = 2,
      auth = Seq(
        "type: oauth2_client_credentials",
        s"""token_url: "${origin.url}/oauth/token"""",
        "client_id: cli",
        "client_secret: s3cr3t"
      ),
      middleware = Seq("logging", "json_body")
    )
    val rows = spark.range(10).select(col("id").cast("string").as("tracking_id"))
    rows.write.format("apisink").option("configText", config.yaml).mode("append").save()
  }

  private val flags = Seq("--oauth", "cli:s3cr3t", "--token-fail", "1:503")

  test("what happens beside the exchanges is told under io.apisink.native, at its level") {
    Origin.using(flags: _*) { origin =>
      val lines = linesOf("io.apisink.native", Level.INFO)(run(origin))
      assert(lines.size == 2)
      assert(lines.head.startsWith(s"WARN no token from ${origin.url}/oauth/token in attempt 1"), lines)
      assert(lines.last.startsWith("INFO a new token"), lines)
    }
    Origin.using(flags: _*) { origin =>
      assert(linesOf("io.apisink.native", Level.WARN)(run(origin)).size == 1)
    }
  }

  test("exchanges have a logger of their own, whose level decides whether lines are made") {
    Origin.using(flags: _*) { origin =>
      assert(linesOf("io.apisink.exchange", Level.DEBUG)(run(origin)).size == 10)
      assert(linesOf("io.apisink.exchange", Level.INFO)(run(origin)).isEmpty)
    }
  }
}
