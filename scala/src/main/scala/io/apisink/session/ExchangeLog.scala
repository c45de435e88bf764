package io.apisink.session

import org.slf4j.LoggerFactory

/** The native library's log lines, under the logger `io.apisink.exchange` of the process that sends. */
private[apisink] object ExchangeLog {

  private val log = LoggerFactory.getLogger("io.apisink.exchange")

  /** The least severe level that is switched on. */
  def level: String =
    if (log.isTraceEnabled) "trace"
    else if (log.isDebugEnabled) "debug"
    else if (log.isInfoEnabled) "info"
    else if (log.isWarnEnabled) "warn"
    else "error"

  def write(level: String, line: String): Unit = level match {
    case "ERROR" => log.error(line)
    case "WARN" => log.warn(line)
    case "INFO" => log.info(line)
    case "DEBUG" => log.debug(line)
    case _ => log.trace(line)
  }
}
