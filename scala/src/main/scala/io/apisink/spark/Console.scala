package io.apisink.spark

import org.slf4j.LoggerFactory

/** What a person who started a run must see even where logs are switched off: standard error, and the log. */
private[spark] object Console {

  private val log = LoggerFactory.getLogger("io.apisink.run")

  def say(runId: String, line: String): Unit = {
    System.err.println(s"apisink run $runId: $line")
    log.info(s"apisink run $runId: $line")
  }

  def warn(runId: String, line: String): Unit = {
    System.err.println(s"apisink run $runId: warning: $line")
    log.warn(s"apisink run $runId: $line")
  }
}
