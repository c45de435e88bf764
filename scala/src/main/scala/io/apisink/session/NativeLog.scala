package io.apisink.session

import org.slf4j.{Logger, LoggerFactory}

/**
 * The native library's log lines, in the log of the process that sends: of single exchanges under the logger
 * `io.apisink.exchange`, of what happens beside them under `io.apisink.native`.
 */
private[apisink] object NativeLog {

  private val exchange = LoggerFactory.getLogger("io.apisink.exchange")
  private val native = LoggerFactory.getLogger("io.apisink.native")

  /** The least severe level of lines of exchanges that is switched on. */
  def exchangeLevel: String =
    if (exchange.isTraceEnabled) "trace"
    else if (exchange.isDebugEnabled) "debug"
    else if (exchange.isInfoEnabled) "info"
    else if (exchange.isWarnEnabled) "warn"
    else "error"

  /** @param record as `Native.takeLogs` yields it: logger, level and line */
  def write(record: String): Unit = record.split(" ", 3) match {
    case Array("exchange", level, line) => write(exchange, level, line)
    case Array(_, level, line) => write(native, level, line)
    case _ => native.warn(record)
  }

  private def write(log: Logger, level: String, line: String): Unit = level match {
    case "ERROR" => log.error(line)
    case "WARN" => log.warn(line)
    case "INFO" => log.info(line)
    case "DEBUG" => log.debug(line)
    case _ => log.trace(line)
  }
}
